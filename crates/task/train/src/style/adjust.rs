//! Recipes changed by hand: what a command's flags do to them.

use super::StyleRecipe;
use crate::losses::{Variation, Weighted};
use crate::optim::Schedule;
use crate::run::Learning;

impl StyleRecipe {
    /// How many steps it takes with so many photographs: the recipe's own number,
    /// or else as many as its epochs need.
    pub fn steps_for(&self, photographs: usize) -> u64 {
        let epochs = (self.epochs * photographs as f64 / self.batch.max(1) as f64).ceil() as u64;
        self.steps.unwrap_or(epochs.max(1))
    }

    /// How its network follows the gradients.
    pub fn learning(&self) -> Learning {
        Learning { rule: self.rule, schedule: self.schedule, averaging: self.averaging }
    }

    /// Takes so many steps; a rate that falls is stretched or squeezed to end with them.
    #[must_use]
    pub fn with_steps(mut self, total: u64) -> Self {
        self.steps = Some(total);
        if let Schedule::Cosine { warmup, steps, .. } = &mut self.schedule {
            *warmup = (*warmup).min(total / 10);
            *steps = (total - *warmup).max(1);
        }
        self
    }

    /// The learning rate, where it is highest; the rest of the schedule follows.
    #[must_use]
    pub fn with_rate(mut self, to: f64) -> Self {
        self.schedule = self.schedule.peaking_at(to);
        self
    }

    /// The weight of the style, at each of its layers.
    #[must_use]
    pub fn with_style_weight(mut self, weight: f64) -> Self {
        set(&mut self.objective.style, weight);
        self
    }

    /// The weight of the content, at each of its layers.
    #[must_use]
    pub fn with_content_weight(mut self, weight: f64) -> Self {
        set(&mut self.objective.content, weight);
        self
    }

    /// The weight of the total variation: of the recipe's kind, or that of one picture
    /// where it has none; 0 leaves it out.
    #[must_use]
    pub fn with_variation(mut self, weight: f64) -> Self {
        self.objective.variation = match self.objective.variation {
            _ if weight == 0.0 => Variation::Off,
            Variation::Squared(_) => Variation::Squared(weight),
            Variation::Absolute(_) => Variation::Absolute(weight),
            Variation::Off | Variation::PerPicture(_) => Variation::PerPicture(weight),
        };
        self
    }
}

fn set(taps: &mut [Weighted], weight: f64) {
    for tap in taps {
        tap.weight = weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighted(tap: &str, weight: f64) -> Weighted {
        Weighted { tap: tap.to_owned(), weight }
    }

    #[test]
    fn epochs_become_steps_and_a_number_overrides_them() {
        let recipe = StyleRecipe { batch: 4, epochs: 2.0, ..StyleRecipe::pytorch_examples() };
        assert_eq!(
            [recipe.steps_for(100), recipe.steps_for(101), recipe.steps_for(1)],
            [50, 51, 1]
        );
        assert_eq!(recipe.with_steps(7).steps_for(100), 7);
    }

    #[test]
    fn a_falling_rate_ends_with_the_steps() {
        let recipe = StyleRecipe::default().with_steps(100).with_rate(2e-3);
        let rates = [0, 10, 100, 200].map(|step| recipe.schedule.rate(step));
        assert!(rates[0] == 0.0 && (rates[1] - 2e-3).abs() < 1e-15, "{rates:?}");
        assert!(rates[2..].iter().all(|rate| (rate - 2e-5).abs() < 1e-15), "{rates:?}");
    }

    #[test]
    fn weights_keep_their_kind() {
        let recipe = StyleRecipe::tensorflow_tutorial().with_variation(3.0).with_style_weight(5.0);
        assert_eq!(recipe.objective.variation, Variation::Squared(3.0));
        assert!(recipe.objective.style.iter().all(|tap| *tap == weighted(&tap.tap, 5.0)));
        let recipe = StyleRecipe::pytorch_examples().with_variation(2.0).with_content_weight(4.0);
        assert_eq!(recipe.objective.variation, Variation::PerPicture(2.0));
        assert_eq!(recipe.objective.content, [weighted("relu2_2", 4.0)]);
        assert_eq!(recipe.with_variation(0.0).objective.variation, Variation::Off);
        let recipe = StyleRecipe::pytorch_tutorial().with_variation(2.0);
        assert_eq!(recipe.objective.variation, Variation::Absolute(2.0));
    }
}
