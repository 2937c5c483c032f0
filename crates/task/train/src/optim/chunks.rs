use rayon::prelude::*;
use tensor::Tensor;

/// Values in one piece of work. Fixed, so that sums over pieces do not depend
/// on the number of threads; a piece of a parameter with its gradient and two
/// moments lies in a core's own cache.
pub(super) const CHUNK: usize = 1 << 14;

/// `f` of every piece of one slice, summed in their order.
pub(super) fn sum<V: Sync>(values: &[V], f: impl Fn(&[V]) -> f64 + Send + Sync) -> f64 {
    let parts: Vec<f64> = values.par_chunks(CHUNK).map(f).collect();
    parts.into_iter().sum()
}

/// `f` of every piece of two slices of one length, summed in their order.
pub(super) fn sum2<V: Sync>(a: &[V], b: &[V], f: impl Fn(&[V], &[V]) -> f64 + Send + Sync) -> f64 {
    let parts = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK)).map(|(a, b)| f(a, b));
    parts.collect::<Vec<f64>>().into_iter().sum()
}

/// Every piece of all tensors.
pub(super) fn pieces(tensors: &mut [Tensor]) -> Vec<&mut [f32]> {
    tensors.iter_mut().flat_map(|t| t.data_mut().chunks_mut(CHUNK)).collect()
}

/// Every piece of all tensors with the same piece of others of the same shapes.
///
/// # Panics
///
/// If the shapes differ.
pub(super) fn pairs<'a>(
    to: &'a mut [Tensor],
    from: &'a [Tensor],
) -> Vec<(&'a mut [f32], &'a [f32])> {
    check_shapes(to, from);
    let both = to.iter_mut().zip(from);
    both.flat_map(|(to, from)| to.data_mut().chunks_mut(CHUNK).zip(from.data().chunks(CHUNK)))
        .collect()
}

/// # Panics
///
/// If there are not as many, of the same shapes.
pub(super) fn check_shapes(a: &[Tensor], b: &[Tensor]) {
    assert_eq!(a.len(), b.len(), "as many tensors as parameters");
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert_eq!(a.shape(), b.shape(), "tensor {i} has its parameter's shape");
    }
}
