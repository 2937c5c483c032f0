use super::PullError;

/// A file of weights that somebody publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownWeights {
    /// What it is asked for by.
    pub name: &'static str,
    /// The network it is of: a name for `nets::by_name`.
    pub network: &'static str,
    /// The network's settings, as JSON.
    pub config: &'static str,
    /// What it is, in words.
    pub what: &'static str,
    /// The file's own name.
    pub file: &'static str,
    /// Where it is published; ends in the file's name.
    pub url: &'static str,
    /// Bytes.
    pub size: u64,
    /// Of the whole file, as 64 lower-case hex digits.
    pub sha256: &'static str,
    /// What its publisher says may be done with it.
    pub licence: &'static str,
}

/// Torchvision names its files by the first eight digits of their hash.
const KNOWN: &[KnownWeights] = &[
    KnownWeights {
        name: "vgg16",
        network: "vgg",
        config: r#"{"depth": "16"}"#,
        what: "VGG16 for ImageNet's classes, by torchvision",
        file: "vgg16-397923af.pth",
        url: "https://download.pytorch.org/models/vgg16-397923af.pth",
        size: 553_433_881,
        sha256: "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        licence: "BSD-3-Clause",
    },
    KnownWeights {
        name: "vgg19",
        network: "vgg",
        config: r#"{"depth": "19"}"#,
        what: "VGG19 for ImageNet's classes, by torchvision",
        file: "vgg19-dcbb9e9d.pth",
        url: "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
        size: 574_673_361,
        sha256: "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
        licence: "BSD-3-Clause",
    },
];

/// Everything that can be pulled by name.
pub fn known() -> &'static [KnownWeights] {
    KNOWN
}

/// What is known under a name.
///
/// # Errors
///
/// [`PullError::Unknown`] if nothing is.
pub fn named(name: &str) -> Result<&'static KnownWeights, PullError> {
    let unknown = || PullError::Unknown { name: name.to_owned(), known: names() };
    KNOWN.iter().find(|k| k.name == name).ok_or_else(unknown)
}

fn names() -> Vec<&'static str> {
    KNOWN.iter().map(|k| k.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        for k in known() {
            assert_eq!(named(k.name).unwrap(), k);
            assert_eq!(k.url.rsplit('/').next(), Some(k.file), "{}", k.name);
            assert!(k.url.starts_with("https://"), "{}", k.name);
            assert_eq!(k.sha256.len(), 64, "{}", k.name);
            assert!(k.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
            assert!(k.file.contains(&k.sha256[..8]), "{}", k.name);
            let net = nets::by_name(k.network, k.config);
            assert!(net.is_ok(), "{}: {:?}", k.network, net.err());
        }
        let message = named("vgg61").unwrap_err().to_string();
        assert!(message.contains("vgg61") && message.contains("vgg16, vgg19"), "{message}");
    }
}
