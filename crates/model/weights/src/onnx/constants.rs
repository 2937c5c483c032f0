use super::tensor_proto::TensorProto;

/// A constant of the model: its values are only read where they are used.
#[derive(Clone, Debug)]
pub(super) struct Constant<'f> {
    pub(super) proto: TensorProto<'f>,
    /// What it is as whole numbers, if it has none of its own.
    given: Option<Vec<i64>>,
    /// What it is as one number, if it has none of its own.
    scalar: Option<f32>,
}

impl<'f> Constant<'f> {
    pub(super) fn new(proto: TensorProto<'f>) -> Self {
        Self { proto, given: None, scalar: None }
    }

    /// A list in a `Constant` node's attribute.
    pub(super) fn of_ints(ints: Vec<i64>) -> Self {
        Self { given: Some(ints), ..Self::new(TensorProto::default()) }
    }

    /// A number in one.
    pub(super) fn of_float(value: f32) -> Self {
        Self { scalar: Some(value), ..Self::new(TensorProto::default()) }
    }

    /// Its whole numbers, if it has such.
    pub(super) fn ints(&self) -> Option<Vec<i64>> {
        // Shapes have few; a tensor of weights is none.
        const FEW: usize = 64;
        if let Some(given) = &self.given {
            return Some(given.clone());
        }
        self.proto.count().filter(|&n| n <= FEW).and_then(|_| self.proto.ints())
    }

    /// Its numbers, if they are few: scales and bounds.
    pub(super) fn floats(&self) -> Option<Vec<f32>> {
        const FEW: usize = 64;
        if let Some(scalar) = self.scalar {
            return Some(vec![scalar]);
        }
        if self.given.is_some() || self.proto.external.is_some() {
            return None;
        }
        self.proto.count().filter(|&n| n <= FEW).and_then(|_| self.proto.values(None).ok())
    }

    /// Its value, if it is one.
    pub(super) fn scalar(&self) -> Option<f32> {
        match self.floats()?[..] {
            [value] => Some(value),
            _ => None,
        }
    }
}
