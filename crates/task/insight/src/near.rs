//! Names like a mistyped one.

/// How much two names must have in common for one to be taken for the other mistyped.
const CLOSE: f64 = 0.75;
const MOST: usize = 5;

/// The names most like `wanted`, best first, at most five.
pub fn near<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut close: Vec<(f64, &str)> = names
        .map(|name| (likeness(&wanted, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= CLOSE)
        .collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    close.into_iter().take(MOST).map(|(_, name)| name.to_owned()).collect()
}

/// From 0 to a little over 1: a name that holds the other is better than one that
/// is only alike, the more so the less is left over.
fn likeness(wanted: &str, name: &str) -> f64 {
    let alike = strsim::jaro_winkler(wanted, name);
    let part = !wanted.is_empty() && (name.contains(wanted) || wanted.contains(name));
    if part { 1.0 + alike } else { alike }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likest_come_first() {
        let names = ["conv3_1", "relu3_1", "relu3_2", "pool3", "African elephant", "elephant"];
        let near = |wanted| near(wanted, names.into_iter());
        assert_eq!(near("rellu3_1")[0], "relu3_1");
        assert_eq!(near("elephant"), ["elephant", "African elephant"]);
        assert_eq!(near("xylophone"), Vec::<String>::new());
    }
}
