//! What the variables of a layer are called, in files of each Keras.

/// The group that a Keras 3 layer keeps its variables in, and the number of one of them:
/// `layers/conv2d/vars/0` to `layers/conv2d`, 0. `None` for what is no layer's.
pub(super) fn place(path: &str) -> Option<(&str, usize)> {
    let (group, index) = path.rsplit_once('/')?;
    let layer = group.strip_suffix("/vars")?;
    // Random states, and what is kept for training, are no weights.
    let is_other = layer.split('/').any(|part| part.starts_with("seed_generator"))
        || ["optimizer", "metrics", "_metrics"].contains(&layer.split('/').next()?);
    let index = index.parse().ok()?;
    (!is_other).then_some((layer, index))
}

/// Whether a part of a path holds layers and is none.
pub(super) fn is_container(part: &str) -> bool {
    matches!(part, "layers" | "_layer_checkpoint_dependencies" | "_operations" | "_layers")
}

/// The names of `count` variables of a layer whose group is called so: Keras 3 names
/// groups by class and counts those of one class, `batch_normalization_2`.
///
/// A batch norm with three variables was made with `scale=False`, which Keras's own
/// networks do; that with `center=False` looks the same.
pub(super) fn of_class(group: &str, count: usize) -> Vec<String> {
    let class = match group.rsplit_once('_') {
        Some((class, number)) if number.bytes().all(|b| b.is_ascii_digit()) => class,
        _ => group,
    };
    let names: &[&str] = match (class, count) {
        ("separable_conv1d" | "separable_conv2d", _) => {
            &["depthwise_kernel", "pointwise_kernel", "bias"]
        }
        ("batch_normalization", 4) => &["gamma", "beta", "moving_mean", "moving_variance"],
        ("batch_normalization", 3) => &["beta", "moving_mean", "moving_variance"],
        ("batch_normalization", 2) => &["moving_mean", "moving_variance"],
        ("group_normalization" | "layer_normalization", _) => &["gamma", "beta"],
        ("dense" | "einsum_dense", _) => &["kernel", "bias"],
        ("p_re_lu", _) => &["alpha"],
        ("embedding", _) => &["embeddings"],
        (class, _) if class.contains("conv") => &["kernel", "bias"],
        _ => &[],
    };
    let name = |i: usize| names.get(i).map_or_else(|| i.to_string(), |&name| name.to_owned());
    (0..count).map(name).collect()
}

/// The uniform name of each of a legacy layer's weights, with the name in the file.
pub(super) fn legacy(layer: &str, stored: &[String]) -> Vec<(String, String)> {
    let paths: Vec<Vec<&str>> = stored.iter().map(|name| inner_path(layer, name)).collect();
    // Keras 2 may have counted a scope up: all of `conv2d` is then in `conv2d_1`.
    let is_counted = |path: &Vec<&str>| match path[..] {
        [scope, _] => scope
            .strip_prefix(layer)
            .and_then(|rest| rest.strip_prefix('_'))
            .is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit())),
        _ => false,
    };
    let are_counted = paths.iter().all(is_counted);
    let names = paths.iter().map(|path| {
        let path = if are_counted { &path[1..] } else { &path[..] };
        let (variable, inner) = path.split_last().unwrap_or((&"", &[]));
        let variable = modern(inner.last().unwrap_or(&layer), variable);
        let parts = std::iter::once(layer).chain(inner.iter().copied());
        parts.chain(std::iter::once(variable)).collect::<Vec<_>>().join("/")
    });
    names.zip(stored).map(|(name, stored)| (name, stored.clone())).collect()
}

/// A weight's path below its layer, without TensorFlow's `:0`.
fn inner_path<'n>(layer: &str, name: &'n str) -> Vec<&'n str> {
    let name = match name.rsplit_once(':') {
        Some((name, number)) if number.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => name,
    };
    let path: Vec<&str> = name.split('/').collect();
    // The last part may be called as the layer is.
    let scopes = &path[..path.len() - 1];
    let own = scopes.iter().rposition(|&part| part == layer).map_or(0, |own| own + 1);
    path[own..].to_vec()
}

/// Keras 1's names made Keras 3's: `block1_conv1_W_1` of `block1_conv1` is its `kernel`.
fn modern<'n>(layer: &str, variable: &'n str) -> &'n str {
    let Some(rest) = variable.strip_prefix(layer).and_then(|rest| rest.strip_prefix('_')) else {
        return variable;
    };
    let plain = match rest.rsplit_once('_') {
        Some((plain, number)) if number.bytes().all(|b| b.is_ascii_digit()) => plain,
        _ => rest,
    };
    match plain {
        "W" => "kernel",
        "b" => "bias",
        "running_mean" => "moving_mean",
        "running_std" => "moving_variance",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_names_of_every_age() {
        let cases: [(&str, &str, &str); 10] = [
            ("conv2d", "conv2d/kernel:0", "conv2d/kernel"),
            ("conv2d", "tiny/conv2d/kernel", "conv2d/kernel"),
            ("conv2d", "conv2d_1/kernel:0", "conv2d/kernel"),
            ("block1_conv1", "block1_conv1_W_1:0", "block1_conv1/kernel"),
            ("block1_conv1", "block1_conv1_b_1:0", "block1_conv1/bias"),
            ("bn", "bn_running_std_3:0", "bn/moving_variance"),
            ("vgg16", "block1_conv1/kernel:0", "vgg16/block1_conv1/kernel"),
            ("inner", "tiny/inner/conv/kernel", "inner/conv/kernel"),
            ("kernel", "tiny/kernel/kernel", "kernel/kernel"),
            ("dw", "dw/depthwise_kernel:0", "dw/depthwise_kernel"),
        ];
        for (layer, stored, want) in cases {
            let names = legacy(layer, &[stored.to_owned()]);
            assert_eq!(names, [(want.to_owned(), stored.to_owned())]);
        }
    }

    #[test]
    fn keras3_places_and_classes() {
        assert_eq!(place("layers/conv2d/vars/0"), Some(("layers/conv2d", 0)));
        assert_eq!(place("layers/dropout/seed_generator/vars/0"), None);
        assert_eq!(place("optimizer/vars/0"), None);
        assert_eq!(place("layers/conv2d/kernel"), None);
        assert_eq!(of_class("conv2d_12", 2), ["kernel", "bias"]);
        assert_eq!(of_class("batch_normalization_1", 3)[0], "beta");
        assert_eq!(of_class("my_layer", 2), ["0", "1"]);
        assert_eq!(of_class("dense", 3), ["kernel", "bias", "2"]);
    }
}
