//! One step for some values of a parameter. Every formula of [`Rule`] is one of
//! five loops with the step's constants worked out beforehand in f64.

use super::rule::{Adam, Decay, Flavour, Momentum, RmsProp, Rule, Sgd};

/// Some values of one parameter, with what belongs to them. What a rule does
/// not remember is empty.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) parameter: &'a mut [f32],
    pub(super) gradient: &'a [f32],
    pub(super) slots: [&'a mut [f32]; 2],
}

/// The constants of one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Update {
    drawn: Drawn,
    kind: Kind,
}

/// How the parameter itself has a part in its step.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    /// What of a parameter goes to its gradient.
    l2: f32,
    /// What a parameter keeps before the step.
    keep: f32,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Adam(Moments),
    RmsProp(Root),
    Sgd(Plain),
}

/// `p −= size · m / (√v · unbias + epsilon)`.
#[derive(Clone, Copy, Debug)]
struct Moments {
    fresh: f32,
    beta2: f32,
    fresh2: f32,
    size: f32,
    unbias: f32,
    epsilon: f32,
}

/// `b = μb + inner·g / (√(v + inside) + outside)`, `p −= outer·b`.
#[derive(Clone, Copy, Debug)]
struct Root {
    rho: f32,
    fresh: f32,
    inside: f32,
    outside: f32,
    momentum: f32,
    rates: Rates,
}

/// `b = μb + inner·g`, `p −= outer·(straight·inner·g + carried·b)`.
#[derive(Clone, Copy, Debug)]
struct Plain {
    momentum: f32,
    straight: f32,
    carried: f32,
    rates: Rates,
}

/// The rate before or after the momentum; the other is 1.
#[derive(Clone, Copy, Debug)]
struct Rates {
    inner: f32,
    outer: f32,
}

impl Rates {
    fn new(flavour: Flavour, rate: f64) -> Self {
        match flavour {
            Flavour::Pytorch => Self { inner: 1.0, outer: rate as f32 },
            Flavour::Keras => Self { inner: rate as f32, outer: 1.0 },
        }
    }
}

impl Update {
    /// Of step number `step`, counted from 1; of what is no matrix, if the rule knows those.
    pub(super) fn new(rule: &Rule, rate: f64, step: u64) -> Self {
        let (decay, kind) = match rule {
            Rule::Adam(r) => (r.decay, adam(r, rate, step)),
            Rule::RmsProp(r) => (r.decay, rms_prop(r, rate)),
            Rule::Sgd(r) => (r.decay, sgd(r, rate)),
            Rule::Muon(r) => (r.others.decay, adam(&r.others, r.others_rate(rate), step)),
        };
        let (l2, keep) = match decay {
            Decay::None => (0.0, 1.0),
            Decay::L2(decay) => (decay, 1.0),
            Decay::Decoupled(decay) => (0.0, 1.0 - rate * decay),
        };
        Self { drawn: Drawn { l2: l2 as f32, keep: keep as f32 }, kind }
    }

    /// Takes the step.
    pub(super) fn apply(&self, piece: Piece<'_>) {
        let Piece { parameter, gradient, slots: [first, second] } = piece;
        let values = self.drawn.values(parameter, gradient);
        match self.kind {
            Kind::Adam(rule) => rule.apply(values, first, second),
            Kind::RmsProp(rule) if second.is_empty() => rule.apply(values, first),
            Kind::RmsProp(rule) => rule.apply_with_momentum(values, first, second),
            Kind::Sgd(rule) if first.is_empty() => rule.apply(values),
            Kind::Sgd(rule) => rule.apply_with_momentum(values, first),
        }
    }
}

impl Drawn {
    /// For each value the gradient, what is kept of it, and itself.
    #[inline(always)]
    fn values<'a>(self, p: &'a mut [f32], g: &'a [f32]) -> impl Iterator<Item = Value<'a>> {
        p.iter_mut().zip(g).map(move |(p, &g)| (g + self.l2 * *p, self.keep * *p, p))
    }
}

type Value<'a> = (f32, f32, &'a mut f32);

impl Moments {
    #[inline(always)]
    fn apply<'a>(self, values: impl Iterator<Item = Value<'a>>, m: &mut [f32], v: &mut [f32]) {
        for ((g, kept, p), (m, v)) in values.zip(m.iter_mut().zip(v)) {
            *m += self.fresh * (g - *m);
            *v = self.beta2 * *v + self.fresh2 * (g * g);
            *p = kept - self.size * *m / (v.sqrt() * self.unbias + self.epsilon);
        }
    }
}

impl Root {
    #[inline(always)]
    fn scaled(self, g: f32, v: &mut f32) -> f32 {
        *v = self.rho * *v + self.fresh * (g * g);
        self.rates.inner * g / ((*v + self.inside).sqrt() + self.outside)
    }

    #[inline(always)]
    fn apply<'a>(self, values: impl Iterator<Item = Value<'a>>, v: &mut [f32]) {
        for ((g, kept, p), v) in values.zip(v) {
            *p = kept - self.rates.outer * self.scaled(g, v);
        }
    }

    #[inline(always)]
    fn apply_with_momentum<'a>(
        self,
        values: impl Iterator<Item = Value<'a>>,
        v: &mut [f32],
        b: &mut [f32],
    ) {
        for ((g, kept, p), (v, b)) in values.zip(v.iter_mut().zip(b)) {
            *b = self.momentum * *b + self.scaled(g, v);
            *p = kept - self.rates.outer * *b;
        }
    }
}

impl Plain {
    #[inline(always)]
    fn apply<'a>(self, values: impl Iterator<Item = Value<'a>>) {
        for (g, kept, p) in values {
            *p = kept - self.rates.outer * (self.rates.inner * g);
        }
    }

    #[inline(always)]
    fn apply_with_momentum<'a>(self, values: impl Iterator<Item = Value<'a>>, b: &mut [f32]) {
        for ((g, kept, p), b) in values.zip(b) {
            let g = self.rates.inner * g;
            *b = self.momentum * *b + g;
            *p = kept - self.rates.outer * (self.straight * g + self.carried * *b);
        }
    }
}

fn adam(rule: &Adam, rate: f64, step: u64) -> Kind {
    let [beta1, beta2] = rule.betas;
    let power = |beta: f64| beta.powf(step as f64);
    let (bias1, root2) = (1.0 - power(beta1), (1.0 - power(beta2)).sqrt());
    let (size, unbias) = match rule.flavour {
        Flavour::Pytorch => (rate / bias1, 1.0 / root2),
        Flavour::Keras => (rate * root2 / bias1, 1.0),
    };
    Kind::Adam(Moments {
        fresh: (1.0 - beta1) as f32,
        beta2: beta2 as f32,
        fresh2: (1.0 - beta2) as f32,
        size: size as f32,
        unbias: unbias as f32,
        epsilon: rule.epsilon as f32,
    })
}

fn rms_prop(rule: &RmsProp, rate: f64) -> Kind {
    let (inside, outside) = match rule.flavour {
        Flavour::Pytorch => (0.0, rule.epsilon),
        Flavour::Keras => (rule.epsilon, 0.0),
    };
    Kind::RmsProp(Root {
        rho: rule.rho as f32,
        fresh: (1.0 - rule.rho) as f32,
        inside: inside as f32,
        outside: outside as f32,
        momentum: rule.momentum as f32,
        rates: Rates::new(rule.flavour, rate),
    })
}

fn sgd(rule: &Sgd, rate: f64) -> Kind {
    let (momentum, straight, carried) = match rule.momentum {
        Momentum::None => (0.0, 1.0, 0.0),
        Momentum::Classic(share) => (share, 0.0, 1.0),
        Momentum::Nesterov(share) => (share, 1.0, share),
    };
    Kind::Sgd(Plain {
        momentum: momentum as f32,
        straight: straight as f32,
        carried: carried as f32,
        rates: Rates::new(rule.flavour, rate),
    })
}
