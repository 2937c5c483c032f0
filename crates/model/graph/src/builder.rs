use crate::{
    Activation, Conv, ConvTranspose, Filter, Graph, Node, NodeId, Op, PadMode, Param, Pool,
};

/// Writes a network down, layer by layer.
///
/// Layers with parameters take the name of the reference checkpoint, to which
/// `.weight`, `.bias` and so on are added; the others get a name from their
/// place, which [`Builder::tap`] replaces.
#[derive(Clone, Debug)]
pub struct Builder {
    name: String,
    nodes: Vec<Node>,
    channels: Vec<Option<usize>>,
    params: Vec<Param>,
    multiple_of: usize,
}

impl Builder {
    /// An empty network of that name.
    pub fn new(name: impl Into<String>) -> Self {
        let (nodes, channels, params) = (vec![], vec![], vec![]);
        Self { name: name.into(), nodes, channels, params, multiple_of: 1 }
    }

    /// Says that sides which are multiples of `n` come back at their own size.
    pub fn multiple_of(&mut self, n: usize) {
        self.multiple_of = n;
    }

    /// An input with this many channels.
    pub fn input(&mut self, name: &str, channels: usize) -> NodeId {
        self.push(name, Op::Input { channels }, (&[], &[]), Some(channels))
    }

    /// A convolution: `name.weight`, `name.bias`.
    ///
    /// # Panics
    ///
    /// If the groups do not divide the channels.
    pub fn conv(&mut self, name: &str, x: NodeId, conv: Conv) -> NodeId {
        let c = self.known_channels(x);
        assert!(
            c.is_multiple_of(conv.groups) && conv.out.is_multiple_of(conv.groups),
            "{name}: {} groups cannot split {c} channels to {}",
            conv.groups,
            conv.out
        );
        let [kh, kw] = conv.kernel;
        let mut params = vec![self.param(name, "weight", &[conv.out, c / conv.groups, kh, kw])];
        if conv.bias {
            params.push(self.param(name, "bias", &[conv.out]));
        }
        self.push(name, Op::Conv(conv), (&[x], &params), Some(conv.out))
    }

    /// A transposed convolution: `name.weight`, `name.bias`.
    pub fn conv_transpose(&mut self, name: &str, x: NodeId, t: ConvTranspose) -> NodeId {
        let c = self.known_channels(x);
        let mut params = vec![self.param(name, "weight", &[c, t.out, t.kernel, t.kernel])];
        if t.bias {
            params.push(self.param(name, "bias", &[t.out]));
        }
        self.push(name, Op::ConvTranspose(t), (&[x], &params), Some(t.out))
    }

    /// A fully connected layer on `features` features: `name.weight`, `name.bias`.
    pub fn linear(&mut self, name: &str, x: NodeId, features: usize, out: usize) -> NodeId {
        let params =
            [self.param(name, "weight", &[out, features]), self.param(name, "bias", &[out])];
        self.push(name, Op::Linear { out }, (&[x], &params), Some(out))
    }

    /// An instance norm with gain and shift: `name.weight`, `name.bias`.
    pub fn instance_norm(&mut self, name: &str, x: NodeId, eps: f32) -> NodeId {
        let c = self.known_channels(x);
        let params = [self.param(name, "weight", &[c]), self.param(name, "bias", &[c])];
        self.push(name, Op::InstanceNorm { eps, affine: true }, (&[x], &params), Some(c))
    }

    /// A batch norm: `name.weight`, `.bias`, `.running_mean`, `.running_var`.
    pub fn batch_norm(&mut self, name: &str, x: NodeId, eps: f32) -> NodeId {
        self.norm_of(name, x, eps, &["weight", "bias", "running_mean", "running_var"])
    }

    /// The same without the weight, which is 1: Keras's `scale=False`.
    pub fn batch_norm_without_gain(&mut self, name: &str, x: NodeId, eps: f32) -> NodeId {
        self.norm_of(name, x, eps, &["bias", "running_mean", "running_var"])
    }

    fn norm_of(&mut self, name: &str, x: NodeId, eps: f32, parts: &[&str]) -> NodeId {
        let c = self.known_channels(x);
        let params: Vec<usize> = parts.iter().map(|part| self.param(name, part, &[c])).collect();
        for &statistic in &params[parts.len() - 2..] {
            self.params[statistic].trainable = false;
        }
        self.push(name, Op::BatchNorm { eps }, (&[x], &params), Some(c))
    }

    /// A function of each value alone.
    pub fn activation(&mut self, x: NodeId, a: Activation) -> NodeId {
        self.unnamed(Op::Activation(a), &[x])
    }

    /// [`Activation::Relu`].
    pub fn relu(&mut self, x: NodeId) -> NodeId {
        self.activation(x, Activation::Relu)
    }

    /// Softmax over the channels.
    pub fn softmax(&mut self, x: NodeId) -> NodeId {
        self.unnamed(Op::Softmax, &[x])
    }

    /// A pooling.
    pub fn pool(&mut self, name: &str, x: NodeId, pool: Pool) -> NodeId {
        let c = self.channels[x.0];
        self.push(name, Op::Pool(pool), (&[x], &[]), c)
    }

    /// [`Op::AdaptiveAvgPool`].
    pub fn adaptive_avg_pool(&mut self, x: NodeId, [height, width]: [usize; 2]) -> NodeId {
        self.unnamed(Op::AdaptiveAvgPool { height, width }, &[x])
    }

    /// [`Op::Resize`].
    pub fn resize(&mut self, x: NodeId, filter: Filter, factor: usize) -> NodeId {
        self.unnamed(Op::Resize { filter, factor }, &[x])
    }

    /// [`Op::Pad`]: pixels at the top, bottom, left and right.
    pub fn pad(&mut self, x: NodeId, mode: PadMode, sides: [usize; 4]) -> NodeId {
        self.unnamed(Op::Pad { mode, sides }, &[x])
    }

    /// [`Op::Crop`]: pixels at the top, bottom, left and right.
    pub fn crop(&mut self, x: NodeId, sides: [usize; 4]) -> NodeId {
        self.unnamed(Op::Crop { sides }, &[x])
    }

    /// `a + b`.
    pub fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.unnamed(Op::Add, &[a, b])
    }

    /// `a · b`; see [`Op::Mul`].
    pub fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.unnamed(Op::Mul, &[a, b])
    }

    /// `x · scale + shift`.
    pub fn scale(&mut self, x: NodeId, scale: f32, shift: f32) -> NodeId {
        self.unnamed(Op::Scale { scale, shift }, &[x])
    }

    /// The channels of all of `xs`.
    ///
    /// # Panics
    ///
    /// If `xs` is empty.
    pub fn concat(&mut self, xs: &[NodeId]) -> NodeId {
        let c = xs.iter().map(|&x| self.known_channels(x)).sum();
        let name = self.free_name(&Op::Concat);
        self.push(&name, Op::Concat, (xs, &[]), Some(c))
    }

    /// `x`, one value per channel, repeated over the plane of `like`.
    pub fn broadcast_space(&mut self, x: NodeId, like: NodeId) -> NodeId {
        self.unnamed(Op::BroadcastSpace, &[x, like])
    }

    /// `[N, C·H·W, 1, 1]`. Its channel count depends on the input's size, so
    /// only [`Builder::linear`], which is told it, can follow.
    pub fn flatten(&mut self, x: NodeId) -> NodeId {
        let name = self.free_name(&Op::Flatten);
        self.push(&name, Op::Flatten, (&[x], &[]), None)
    }

    /// [`Op::Dropout`].
    pub fn dropout(&mut self, x: NodeId, share: f32) -> NodeId {
        self.unnamed(Op::Dropout { share }, &[x])
    }

    /// Gives `x` a name under which its output can be asked for.
    ///
    /// # Panics
    ///
    /// If another node has that name.
    pub fn tap(&mut self, x: NodeId, name: &str) -> NodeId {
        assert!(self.nodes.iter().all(|n| n.name != name), "two nodes are called {name:?}");
        name.clone_into(&mut self.nodes[x.0].name);
        x
    }

    /// The channels of `x`, where they do not depend on the input's size.
    pub fn channels(&self, x: NodeId) -> Option<usize> {
        self.channels[x.0]
    }

    /// The finished network, which yields `output`.
    pub fn finish(self, output: NodeId) -> Graph {
        let is_input = |i: &NodeId| matches!(self.nodes[i.0].op, Op::Input { .. });
        let inputs = (0..self.nodes.len()).map(NodeId).filter(is_input).collect();
        let Self { name, nodes, params, multiple_of, .. } = self;
        Graph { name, nodes, params, inputs, output, multiple_of }
    }

    fn known_channels(&self, x: NodeId) -> usize {
        self.channels[x.0].expect("only a linear layer can follow a flatten")
    }

    fn param(&mut self, layer: &str, part: &str, shape: &[usize]) -> usize {
        let name = format!("{layer}.{part}");
        self.params.push(Param { name, shape: shape.to_vec(), trainable: true });
        self.params.len() - 1
    }

    fn unnamed(&mut self, op: Op, inputs: &[NodeId]) -> NodeId {
        let (name, c) = (self.free_name(&op), self.channels[inputs[0].0]);
        self.push(&name, op, (inputs, &[]), c)
    }

    fn free_name(&self, op: &Op) -> String {
        format!("{}_{}", op.kind(), self.nodes.len())
    }

    fn push(
        &mut self,
        name: &str,
        op: Op,
        (inputs, params): (&[NodeId], &[usize]),
        channels: Option<usize>,
    ) -> NodeId {
        assert!(self.nodes.iter().all(|n| n.name != name), "two nodes are called {name:?}");
        let name = name.to_owned();
        self.nodes.push(Node { name, op, inputs: inputs.to_vec(), params: params.to_vec() });
        self.channels.push(channels);
        NodeId(self.nodes.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_shapes_are_pytorchs() {
        let mut g = Builder::new("test");
        let x = g.input("x", 4);
        let x = g.conv("a.conv2d", x, Conv::new(8, 3).groups(2));
        let x = g.batch_norm("bn", x, 1e-5);
        let g = g.finish(x);
        let names: Vec<&str> = g.params().iter().map(|p| p.name.as_str()).collect();
        let bn = ["bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"];
        assert_eq!(names, [&["a.conv2d.weight", "a.conv2d.bias"], &bn[..]].concat());
        assert_eq!(g.params()[0].shape, [8, 2, 3, 3]);
        assert_eq!(g.param_count(), 8 * 2 * 9 + 8 + 4 * 8);
        assert!(!g.params()[5].trainable);
    }

    #[test]
    fn cutting_drops_what_is_not_needed() {
        let mut g = Builder::new("test");
        let x = g.input("x", 4);
        let a = g.conv("a", x, Conv::new(8, 3));
        let b = g.conv("b", a, Conv::new(8, 3));
        let g = g.finish(b);
        let cut = g.up_to(a);
        assert_eq!((cut.nodes().len(), cut.params().len()), (2, 2));
        assert_eq!(cut.output(), a);
    }

    #[test]
    fn freezing_stops_at_the_last_layer_named() {
        let mut g = Builder::new("test");
        let x = g.input("x", 4);
        let a = g.conv("a", x, Conv::new(8, 3));
        let b = g.conv("b", a, Conv::new(8, 3));
        let g = g.finish(b).frozen_up_to(a);
        let trainable: Vec<bool> = g.params().iter().map(|p| p.trainable).collect();
        assert_eq!(trainable, [false, false, true, true]);
    }

    #[test]
    fn a_batch_norm_without_gain_keeps_the_places_of_the_others() {
        let mut g = Builder::new("test");
        let x = g.input("x", 4);
        let a = g.batch_norm("a", x, 1e-3);
        let b = g.batch_norm_without_gain("b", a, 1e-3);
        let g = g.finish(b);
        let name = |id, place| g.node(id).param(place).map(|p| g.params()[p].name.as_str());
        assert_eq!([name(a, 0), name(a, 3)], [Some("a.weight"), Some("a.running_var")]);
        assert_eq!([name(b, 0), name(b, 1)], [None, Some("b.bias")]);
        assert_eq!([name(b, 3), name(b, 4)], [Some("b.running_var"), None]);
        assert!(g.params().iter().all(|p| p.trainable != p.name.contains("running")));
    }

    #[test]
    #[should_panic(expected = "two nodes are called \"a\"")]
    fn names_are_unique() {
        let mut g = Builder::new("test");
        let x = g.input("a", 4);
        let _ = g.conv("a", x, Conv::new(8, 3));
    }
}
