//! The part of a network that follows one of its nodes.

use crate::{Graph, Node, NodeId, Op, Shape4};

impl Graph {
    /// What follows `cut`, as a network of its own, and the nodes that its inputs
    /// stand for: `cut` first, then those beside it whose values the rest reads
    /// too (the other arm of a residual block). `shapes` are those of
    /// [`Graph::shapes`], from which the inputs take their channels.
    ///
    /// With [`Graph::up_to`] for the other part, a layer's gradient or the effect of
    /// a change to it can be found without running what comes before.
    ///
    /// `None` if the output does not depend on `cut`, or is it.
    ///
    /// # Panics
    ///
    /// If `cut` is of another graph and out of range, or there are fewer shapes than nodes.
    pub fn after(&self, cut: NodeId, shapes: &[Shape4]) -> Option<(Self, Vec<NodeId>)> {
        let mut follows = vec![false; self.nodes.len()];
        follows[cut.0] = true;
        for (index, node) in self.nodes.iter().enumerate().skip(cut.0 + 1) {
            follows[index] = node.inputs.iter().any(|i| follows[i.0]);
        }
        if self.output == cut || !follows[self.output.0] {
            return None;
        }
        let mut needed = vec![false; self.nodes.len()];
        needed[self.output.0] = true;
        for index in (cut.0 + 1..=self.output.0).rev() {
            if needed[index] && follows[index] {
                self.nodes[index].inputs.iter().for_each(|i| needed[i.0] = true);
            }
        }
        let beside = |i: &usize| needed[*i] && !follows[*i];
        let inputs: Vec<NodeId> =
            [cut.0].into_iter().chain((0..self.nodes.len()).filter(beside)).map(NodeId).collect();
        let rest: Vec<usize> =
            (cut.0 + 1..=self.output.0).filter(|&i| needed[i] && follows[i]).collect();
        Some((self.part(&inputs, &rest, shapes), inputs))
    }

    /// The nodes of `rest`, reading from `inputs` or each other.
    fn part(&self, inputs: &[NodeId], rest: &[usize], shapes: &[Shape4]) -> Self {
        let mut place = vec![usize::MAX; self.nodes.len()];
        let old = inputs.iter().map(|i| i.0).chain(rest.iter().copied());
        old.enumerate().for_each(|(new, old)| place[old] = new);
        let mut params = vec![];
        let mut nodes: Vec<Node> = inputs
            .iter()
            .map(|i| Node {
                name: self.nodes[i.0].name.clone(),
                op: Op::Input { channels: shapes[i.0][1] },
                inputs: vec![],
                params: vec![],
            })
            .collect();
        for &index in rest {
            let node = &self.nodes[index];
            let first = params.len();
            params.extend(node.params.iter().map(|&p| self.params[p].clone()));
            nodes.push(Node {
                inputs: node.inputs.iter().map(|i| NodeId(place[i.0])).collect(),
                params: (first..params.len()).collect(),
                ..node.clone()
            });
        }
        let ids = (0..inputs.len()).map(NodeId).collect();
        let output = NodeId(place[self.output.0]);
        Self { name: self.name.clone(), nodes, params, inputs: ids, output, multiple_of: 1 }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Builder, Conv, Graph, PadMode};

    fn names(graph: &Graph) -> Vec<&str> {
        graph.nodes().iter().map(|n| n.name.as_str()).collect()
    }

    #[test]
    fn what_runs_beside_the_cut_becomes_an_input() {
        let mut g = Builder::new("test");
        let x = g.input("x", 3);
        let a = g.conv("a", x, Conv::same(4, 3, PadMode::Zero));
        let b = g.conv("b", a, Conv::same(4, 3, PadMode::Zero));
        let c = g.conv("c", b, Conv::same(4, 3, PadMode::Zero));
        let unused = g.conv("unused", c, Conv::new(1, 1));
        let sum = g.add(a, c);
        let d = g.conv("d", sum, Conv::new(2, 1));
        let g = g.finish(d);
        let shapes = g.shapes(&[[1, 3, 8, 8]]).unwrap();
        let (tail, inputs) = g.after(b, &shapes).unwrap();
        assert_eq!(inputs, [b, a]);
        assert_eq!(names(&tail), ["b", "a", "c", "add_5", "d"]);
        assert_eq!(tail.params()[0].name, "c.weight");
        let cut = tail.shapes(&[[5, 4, 8, 8]; 2]).unwrap();
        assert_eq!(cut[tail.output().index()], [5, 2, 8, 8]);
        assert!(g.after(d, &shapes).is_none() && g.after(unused, &shapes).is_none());
    }
}
