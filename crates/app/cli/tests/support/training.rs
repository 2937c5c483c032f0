//! What a style is trained from.

use pentimento::nets;
use pentimento::tensor::Tensor;
use pentimento::train::style::StyleRecipe;
use pentimento::weights::{self, Precision, StateDict};

use super::{MadeUp, Place};

/// Six photographs, a painting, a recipe and a loss network of made-up weights.
pub fn place() -> Place {
    let place = Place::new();
    for i in 0..6 {
        place.photo(&format!("photos/{i}.png"), [30 + 5 * i, 44]);
    }
    place.photo("painting.png", [40, 40]);
    let net = nets::by_name("vgg", r#"{"up_to": "relu2_2"}"#).unwrap();
    let mut made_up = MadeUp::default();
    let params = net.graph.params().iter();
    let tensors: StateDict = params
        .map(|p| {
            (p.name.clone(), Tensor::new(p.shape.clone(), made_up.values(&p.shape, 6f32.sqrt())))
        })
        .collect();
    weights::write(&place.path("vgg.safetensors"), &tensors, &[].into(), Precision::F32).unwrap();
    recipe(&place, |_| ());
    place
}

pub fn recipe(place: &Place, change: impl FnOnce(&mut StyleRecipe)) {
    let mut recipe = StyleRecipe::pytorch_examples();
    recipe.config = serde_json::json!({ "width": 4, "residual_blocks": 1 });
    recipe.objective.style.truncate(2);
    (recipe.batch, recipe.size, recipe.style_size, recipe.steps) = (2, 16, Some(32), Some(6));
    change(&mut recipe);
    place.file("tiny.json", serde_json::to_string(&recipe).unwrap().as_bytes());
}
