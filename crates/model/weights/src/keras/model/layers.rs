//! What layers of Keras a node becomes.

use graph::{
    Activation, Conv, ConvTranspose, Filter, NodeId, Op, PadMode, Padding, Pool, PoolKind,
    TransposePadding,
};
use serde_json::{Value, json};

use super::{Made, Model, size};
use crate::WeightsError;

type Result<T> = std::result::Result<T, WeightsError>;

impl Model<'_> {
    /// Makes a node's layers, after those of all nodes that it reads.
    pub(super) fn node(&mut self, id: NodeId) -> Result<Made> {
        let node = self.graph.node(id);
        if let Some((class, settings)) = simple(&node.op) {
            return self.plain(id, class, settings);
        }
        match node.op.clone() {
            Op::Input { channels } => Ok(self.input(id, channels)),
            Op::Conv(conv) => self.conv(id, &conv),
            Op::ConvTranspose(conv) => self.conv_transpose(id, &conv),
            Op::Linear { out } => self.dense(id, out),
            Op::InstanceNorm { eps, affine: true } => {
                let settings = json!({ "groups": -1, "axis": -1, "epsilon": eps });
                Ok(self.with_weights(id, "GroupNormalization", settings))
            }
            Op::BatchNorm { eps } => {
                let settings = json!({ "epsilon": eps, "scale": node.params.len() == 4 });
                Ok(self.with_weights(id, "BatchNormalization", settings))
            }
            Op::Pool(pool) => self.pool(id, pool),
            Op::Flatten => self.flatten(id),
            Op::BroadcastSpace => self.broadcast(id),
            _ => Err(self.refuse(id, "only its own kinds of border, norm and pooling")),
        }
    }

    fn input(&mut self, id: NodeId, channels: usize) -> Made {
        let is_flat = size::is_flat_input(self.graph, id);
        let shape = match &self.shapes {
            _ if is_flat => json!([null, channels]),
            Some(shapes) => {
                let [_, _, height, width] = shapes[id.index()];
                json!([null, height, width, channels])
            }
            None => json!([null, null, null, channels]),
        };
        let name = self.free_name(&self.graph.node(id).name.clone());
        let settings = json!({ "batch_shape": shape, "dtype": "float32" });
        Made { layer: self.add(name, "InputLayer", settings, &[]), is_flat }
    }

    /// A layer without weights that reads what its node does.
    fn plain(&mut self, id: NodeId, class: &'static str, settings: Value) -> Result<Made> {
        let inputs: Vec<Made> =
            self.graph.node(id).inputs.iter().map(|&from| self.made(from)).collect();
        let is_flat = inputs[0].is_flat;
        if inputs.iter().any(|made| made.is_flat != is_flat) {
            return Err(self.refuse(id, "planes and single values together"));
        }
        let from: Vec<usize> = inputs.iter().map(|made| made.layer).collect();
        let name = self.free_name(&self.graph.node(id).name.clone());
        Ok(Made { layer: self.add(name, class, settings, &from), is_flat })
    }

    /// A layer with weights.
    fn with_weights(&mut self, id: NodeId, class: &'static str, settings: Value) -> Made {
        let from = self.made(self.graph.node(id).inputs[0]);
        self.after(id, class, settings, from)
    }

    /// A layer with weights after another, with the activation that follows it.
    fn after(&mut self, id: NodeId, class: &'static str, mut settings: Value, from: Made) -> Made {
        let takes_activation = !class.ends_with("Normalization");
        let next = size::only_reader(self.graph, id).filter(|_| takes_activation);
        let activation = next.and_then(|next| match self.graph.node(next).op {
            Op::Activation(Activation::LeakyRelu(_)) => None,
            Op::Activation(a) => Some((next, activation_name(a))),
            _ => None,
        });
        if let Some((_, name)) = activation {
            settings["activation"] = json!(name);
        }
        let layer = self.add(self.named(id), class, settings, &[from.layer]);
        let made = Made { layer, ..from };
        if let Some((next, _)) = activation {
            self.made[next.index()] = Some(made);
        }
        made
    }

    /// A layer without a node of its own.
    fn extra(&mut self, id: NodeId, what: (&str, &'static str, Value), from: Made) -> Made {
        let (suffix, class, settings) = what;
        let name = self.free_name(&format!("{}_{suffix}", self.graph.node(id).name));
        Made { layer: self.add(name, class, settings, &[from.layer]), ..from }
    }

    fn conv(&mut self, id: NodeId, conv: &Conv) -> Result<Made> {
        let mut from = self.made(self.graph.node(id).inputs[0]);
        let keeps_size = |p: usize| conv.kernel.iter().all(|k| 2 * p == conv.dilation * (k - 1));
        let padding = match conv.pad {
            Padding::Same => "same",
            Padding::Around(_, 0) => "valid",
            Padding::Around(PadMode::Zero, p) if conv.stride == 1 && keeps_size(p) => "same",
            Padding::Around(PadMode::Zero, p) => {
                let settings = json!({ "padding": [[p, p], [p, p]] });
                from = self.extra(id, ("pad", "ZeroPadding2D", settings), from);
                "valid"
            }
            Padding::Around(..) => return Err(self.refuse(id, "its border is no zeros")),
        };
        let mut settings = json!({
            "kernel_size": conv.kernel,
            "strides": [conv.stride, conv.stride],
            "padding": padding,
            "dilation_rate": [conv.dilation, conv.dilation],
            "use_bias": conv.bias,
        });
        let row = self.table.rows().iter().find(|row| row.layer == self.named(id));
        if let Some(row) = row.filter(|row| row.class == "DepthwiseConv2D") {
            settings["depth_multiplier"] = json!(conv.out / row.inputs);
            return Ok(self.after(id, "DepthwiseConv2D", settings, from));
        }
        settings["filters"] = json!(conv.out);
        settings["groups"] = json!(conv.groups);
        Ok(self.after(id, "Conv2D", settings, from))
    }

    fn conv_transpose(&mut self, id: NodeId, conv: &ConvTranspose) -> Result<Made> {
        let (padding, cropping) = match conv.pad {
            TransposePadding::Same => ("same", None),
            TransposePadding::Torch { padding, output }
                if output <= padding && conv.kernel >= conv.stride =>
            {
                ("valid", Some([padding, padding - output]))
            }
            TransposePadding::Torch { .. } => return Err(self.refuse(id, "its border")),
        };
        let settings = json!({
            "filters": conv.out,
            "kernel_size": [conv.kernel, conv.kernel],
            "strides": [conv.stride, conv.stride],
            "padding": padding,
            "use_bias": conv.bias,
        });
        let Some(sides) = cropping.filter(|sides| *sides != [0, 0]) else {
            return Ok(self.with_weights(id, "Conv2DTranspose", settings));
        };
        let made = self.with_weights(id, "Conv2DTranspose", settings);
        let crop =
            self.extra(id, ("crop", "Cropping2D", json!({ "cropping": [sides, sides] })), made);
        // An activation that the layer took in is before the cropping.
        let next = size::only_reader(self.graph, id);
        if let Some(taken) = next.and_then(|next| self.made[next.index()].as_mut()) {
            *taken = crop;
        }
        Ok(crop)
    }

    fn dense(&mut self, id: NodeId, out: usize) -> Result<Made> {
        let mut from = self.made(self.graph.node(id).inputs[0]);
        if !from.is_flat {
            if !size::is_pixel(self.graph, self.graph.node(id).inputs[0]) {
                return Err(self.refuse(id, "it is given planes"));
            }
            from =
                Made { is_flat: true, ..self.extra(id, ("flatten", "Flatten", json!({})), from) };
        }
        let settings = json!({ "units": out });
        Ok(self.after(id, "Dense", settings, from))
    }

    fn flatten(&mut self, id: NodeId) -> Result<Made> {
        let from = self.graph.node(id).inputs[0];
        if !size::is_pixel(self.graph, from) && !self.ends_in_dense(id) {
            return Err(self.refuse(id, "it has the channels last, and no dense layer follows"));
        }
        Ok(Made { is_flat: true, ..self.plain(id, "Flatten", json!({}))? })
    }

    /// Whether all that a node gives goes into a dense layer, whose weights lie accordingly.
    fn ends_in_dense(&self, id: NodeId) -> bool {
        let is_dense = |next: NodeId| match self.graph.node(next).op {
            Op::Linear { .. } => true,
            Op::Dropout { .. } | Op::Activation(_) => self.ends_in_dense(next),
            _ => false,
        };
        size::only_reader(self.graph, id).is_some_and(is_dense)
    }

    fn pool(&mut self, id: NodeId, pool: Pool) -> Result<Made> {
        let mut from = self.made(self.graph.node(id).inputs[0]);
        let padding = match (pool.pad, pool.kind) {
            (Padding::Around(_, 0), _) => "valid",
            (Padding::Same, PoolKind::Max | PoolKind::AverageInside) => "same",
            (Padding::Around(_, p), kind) if self.zeros_do(id, kind) => {
                let settings = json!({ "padding": [[p, p], [p, p]] });
                from = self.extra(id, ("pad", "ZeroPadding2D", settings), from);
                "valid"
            }
            _ => return Err(self.refuse(id, "its border")),
        };
        let class = match pool.kind {
            PoolKind::Max => "MaxPooling2D",
            PoolKind::Average | PoolKind::AverageInside => "AveragePooling2D",
        };
        let settings = json!({
            "pool_size": [pool.kernel, pool.kernel],
            "strides": [pool.stride, pool.stride],
            "padding": padding,
        });
        let name = self.free_name(&self.graph.node(id).name.clone());
        Ok(Made { layer: self.add(name, class, settings, &[from.layer]), is_flat: false })
    }

    /// Whether zeros around the picture do what the pooling's own border does.
    fn zeros_do(&self, id: NodeId, kind: PoolKind) -> bool {
        let from = self.graph.node(self.graph.node(id).inputs[0]);
        let is_positive = matches!(
            from.op,
            Op::Activation(Activation::Relu | Activation::Relu6 | Activation::Sigmoid)
        );
        kind == PoolKind::Average || (kind == PoolKind::Max && is_positive)
    }

    /// Values that are repeated over a plane.
    fn broadcast(&mut self, id: NodeId) -> Result<Made> {
        let [_, channels, height, width] = match &self.shapes {
            Some(shapes) => shapes[id.index()],
            None => return Err(self.refuse(id, "it needs a size")),
        };
        let from = self.made(self.graph.node(id).inputs[0]);
        let is_flat = from.is_flat;
        let made = if is_flat {
            let repeated = ("repeat", "RepeatVector", json!({ "n": height * width }));
            let repeated = self.extra(id, repeated, from);
            let name = self.free_name(&self.graph.node(id).name.clone());
            let settings = json!({ "target_shape": [height, width, channels] });
            self.add(name, "Reshape", settings, &[repeated.layer])
        } else {
            let name = self.free_name(&self.graph.node(id).name.clone());
            let settings = json!({ "size": [height, width], "interpolation": "nearest" });
            self.add(name, "UpSampling2D", settings, &[from.layer])
        };
        Ok(Made { layer: made, is_flat: false })
    }
}

/// The layer for an operation that has no weights and means the same everywhere.
fn simple(op: &Op) -> Option<(&'static str, Value)> {
    Some(match op {
        Op::AdaptiveAvgPool { height: 1, width: 1 } => {
            ("GlobalAveragePooling2D", json!({ "keepdims": true }))
        }
        Op::Resize { filter, factor } => {
            let interpolation = match filter {
                Filter::Nearest => "nearest",
                Filter::Bilinear => "bilinear",
            };
            let settings = json!({ "size": [factor, factor], "interpolation": interpolation });
            ("UpSampling2D", settings)
        }
        Op::Pad { mode: PadMode::Zero, sides: [t, b, l, r] } => {
            ("ZeroPadding2D", json!({ "padding": [[t, b], [l, r]] }))
        }
        Op::Crop { sides: [t, b, l, r] } => ("Cropping2D", json!({ "cropping": [[t, b], [l, r]] })),
        Op::Add => ("Add", json!({})),
        Op::Mul => ("Multiply", json!({})),
        Op::Concat => ("Concatenate", json!({ "axis": -1 })),
        Op::Scale { scale, shift } => ("Rescaling", json!({ "scale": scale, "offset": shift })),
        Op::Softmax => ("Softmax", json!({ "axis": -1 })),
        Op::Dropout { share } => ("Dropout", json!({ "rate": share })),
        Op::Activation(Activation::LeakyRelu(slope)) => {
            ("LeakyReLU", json!({ "negative_slope": slope }))
        }
        Op::Activation(a) => ("Activation", json!({ "activation": activation_name(*a) })),
        _ => return None,
    })
}

fn activation_name(activation: Activation) -> &'static str {
    match activation {
        Activation::Relu => "relu",
        Activation::Relu6 => "relu6",
        Activation::LeakyRelu(_) => "leaky_relu",
        Activation::Tanh => "tanh",
        Activation::Sigmoid => "sigmoid",
        Activation::Silu => "silu",
    }
}
