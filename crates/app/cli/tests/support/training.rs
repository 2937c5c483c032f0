//! What a style is trained from.

use pentimento::nets;
use pentimento::tensor::Tensor;
use pentimento::train::style::StyleRecipe;
use pentimento::weights::{self, Precision, StateDict};

use super::Place;

/// Six photographs, a painting, a recipe and a loss network of made-up weights.
pub fn place() -> Place {
    let place = Place::new();
    for i in 0..6 {
        place.photo(&format!("photos/{i}.png"), [30 + 5 * i, 44]);
    }
    place.photo("painting.png", [40, 40]);
    let net = nets::by_name("vgg", r#"{"up_to": "relu2_2"}"#).unwrap();
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 32768.0 - 1.0
    };
    let mut value = |shape: &[usize]| -> Vec<f32> {
        let fan_in = shape.iter().skip(1).product::<usize>().max(1) as f32;
        (0..shape.iter().product()).map(|_| noise() * (6.0 / fan_in).sqrt()).collect()
    };
    let params = net.graph.params().iter();
    let tensors: StateDict =
        params.map(|p| (p.name.clone(), Tensor::new(p.shape.clone(), value(&p.shape)))).collect();
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
