//! A model's configuration: read for its layers' names, and never carried out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::checkpoint::Listing;
use crate::{Limits, WeightsError};

/// The name of each layer by its path in Keras 3's weights: `layers/conv2d_1` to `conv2`.
pub(crate) type NamesByPath = BTreeMap<String, String>;

/// A configuration without code.
pub(super) struct Config(Value);

/// More text than any network's configuration; as values it takes sixteen times as much.
pub(super) const MAX_TEXT: u64 = 8 << 20;

/// Deeper than models in models; the text itself is bounded by `serde_json`.
const MAX_DEPTH: usize = 16;

impl Config {
    /// Reads a configuration's JSON.
    ///
    /// # Errors
    ///
    /// If it is damaged or too long, or holds or names code: a `Lambda` layer, or an object
    /// of a module that is not Keras's, which loading with Keras would import.
    pub(super) fn parse(text: &str, limits: &Limits) -> Result<Self, WeightsError> {
        let (need, limit) = (text.len() as u64, MAX_TEXT.min(limits.header));
        if need > limit {
            return Err(WeightsError::TooLarge { need, limit });
        }
        let value = serde_json::from_str(text).map_err(|e| {
            let what = format!("the model's configuration cannot be read: {e}");
            WeightsError::corrupt(crate::Format::Keras, 0, what)
        })?;
        refuse_code(&value, "")?;
        Ok(Self(value))
    }

    /// Puts the model's class and its layers beside the tensors.
    pub(super) fn describe(
        &self,
        listing: &mut Listing,
        limits: &Limits,
    ) -> Result<(), WeightsError> {
        let class = self.0.get("class_name").and_then(Value::as_str).unwrap_or("unknown");
        listing.describe("keras_class", class.to_owned(), limits)?;
        let layers: Vec<String> = layers(&self.0)
            .map(|layer| format!("{} ({})", name(layer).unwrap_or("?"), class_of(layer)))
            .collect();
        if !layers.is_empty() {
            listing.describe("keras_layers", layers.join(", "), limits)?;
        }
        Ok(())
    }

    /// The path that Keras 3 gives to each layer.
    pub(super) fn names_by_path(&self) -> NamesByPath {
        let mut names = NamesByPath::new();
        collect(&self.0, "", 0, &mut names);
        names
    }
}

fn collect(model: &Value, prefix: &str, depth: usize, names: &mut NamesByPath) {
    if depth >= MAX_DEPTH {
        return;
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for layer in layers(model) {
        let class = snake_case(class_of(layer));
        let count = counts.entry(class.clone()).or_default();
        let own = if *count == 0 { class } else { format!("{class}_{count}") };
        *count += 1;
        let path = format!("{prefix}layers/{own}");
        if let Some(name) = name(layer) {
            names.insert(path.clone(), name.to_owned());
        }
        collect(layer, &format!("{path}/"), depth + 1, names);
    }
}

/// The configurations of a model's layers; Keras 1 had the list for a `Sequential` itself.
fn layers(model: &Value) -> impl Iterator<Item = &Value> {
    let config = model.get("config");
    let list = config.and_then(|config| config.get("layers").or(Some(config)));
    list.and_then(Value::as_array).into_iter().flatten()
}

fn class_of(layer: &Value) -> &str {
    layer.get("class_name").and_then(Value::as_str).unwrap_or("?")
}

fn name(layer: &Value) -> Option<&str> {
    let config = layer.get("config").and_then(|config| config.get("name"));
    config.or_else(|| layer.get("name")).and_then(Value::as_str)
}

/// `Conv2DTranspose` to `conv2d_transpose`, as `keras.src.utils.naming` has it.
pub(super) fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut snake = String::new();
    for (i, &letter) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| letters[i]);
        let is_word = letters.get(i + 1).is_some_and(char::is_ascii_lowercase);
        let ends_word = before.is_some_and(|c| c.is_ascii_lowercase());
        if letter.is_ascii_uppercase() && before.is_some_and(|c| c != '_') && (is_word || ends_word)
        {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// Looks at every object of a configuration. `around` is the nearest name.
fn refuse_code(value: &Value, around: &str) -> Result<(), WeightsError> {
    match value {
        Value::Array(values) => values.iter().try_for_each(|value| refuse_code(value, around)),
        Value::Object(object) => {
            let own = name(value).unwrap_or(around);
            check(object, own)?;
            object.values().try_for_each(|value| refuse_code(value, own))
        }
        _ => Ok(()),
    }
}

fn check(object: &Map<String, Value>, name: &str) -> Result<(), WeightsError> {
    let text = |key| object.get(key).and_then(Value::as_str);
    let Some(class) = text("class_name") else { return Ok(()) };
    let what = match text("module") {
        _ if matches!(class, "Lambda" | "__lambda__") => format!("is a {class}"),
        Some(module) if !is_keras(module, class) => format!("wants {module}.{class}"),
        _ => return Ok(()),
    };
    Err(WeightsError::ForbiddenCode { layer: name.to_owned(), what })
}

/// Whether a class is one of Keras's own, or a plain value of Python.
fn is_keras(module: &str, class: &str) -> bool {
    const PACKAGES: [&str; 6] = [
        "keras",
        "tf_keras",
        "tensorflow.keras",
        "tensorflow.python.keras",
        "keras_hub",
        "keras_cv",
    ];
    let is_in = |package: &&str| {
        module.strip_prefix(*package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    // A function of Keras's modules may be any that they import: CVE-2025-1550.
    let is_function = class == "function" && !module.ends_with("keras.activations");
    let is_plain = module == "builtins" && matches!(class, "slice" | "range" | "tuple" | "set");
    is_plain || (PACKAGES.iter().any(is_in) && !is_function)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Option<String> {
        Config::parse(text, &Limits::default()).err().map(|e| e.to_string())
    }

    #[test]
    fn code_is_refused_by_name() {
        let cases = [
            (r#"{"class_name":"Lambda","config":{"name":"scale"}}"#, "\"scale\" is a Lambda"),
            (
                r#"{"class_name":"A","config":{"name":"n","f":{"class_name":"__lambda__"}}}"#,
                "\"n\" is a __lambda__",
            ),
            (r#"{"module":"os","class_name":"function","config":"system"}"#, "wants os.function"),
            (
                r#"{"config":[{"module":"keras.src.utils","class_name":"function"}]}"#,
                "wants keras.src.utils.function",
            ),
            (r#"{"module":"kerasish","class_name":"Dense"}"#, "wants kerasish.Dense"),
        ];
        for (text, want) in cases {
            let message = refusal(text).unwrap();
            assert!(message.contains(want), "{message}");
        }
        assert_eq!(refusal(r#"{"module":"keras.layers","class_name":"Dense"}"#), None);
        assert_eq!(refusal(r#"{"module":"keras","class_name":"DTypePolicy"}"#), None);
    }

    #[test]
    fn a_configuration_is_bounded() {
        let deep = "[".repeat(100_000);
        assert!(refusal(&deep).unwrap().contains("recursion limit"));
        let limits = Limits { header: 10, ..Limits::default() };
        let error = Config::parse("[0, 0, 0, 0]", &limits).err().unwrap();
        assert!(matches!(error, WeightsError::TooLarge { need: 12, limit: 10 }));
    }

    #[test]
    fn classes_become_paths() {
        for (class, want) in [
            ("Conv2D", "conv2d"),
            ("Conv2DTranspose", "conv2d_transpose"),
            ("DepthwiseConv2D", "depthwise_conv2d"),
            ("BatchNormalization", "batch_normalization"),
            ("ReLU", "re_lu"),
            ("GlobalAveragePooling2D", "global_average_pooling2d"),
        ] {
            assert_eq!(snake_case(class), want);
        }
        let text = r#"{"class_name":"Sequential","config":{"name":"m","layers":[
            {"class_name":"Conv2D","config":{"name":"a"}},
            {"class_name":"Conv2D","config":{"name":"b"}},
            {"class_name":"Functional","config":{"name":"inner","layers":[
                {"class_name":"Dense","config":{"name":"c"}}]}}]}}"#;
        let names = Config::parse(text, &Limits::default()).ok().unwrap().names_by_path();
        let names: Vec<_> = names.iter().map(|(p, n)| format!("{p}={n}")).collect();
        let want = [
            "layers/conv2d=a",
            "layers/conv2d_1=b",
            "layers/functional=inner",
            "layers/functional/layers/dense=c",
        ];
        assert_eq!(names, want);
    }
}
