//! The list of everything that a pickle may name.

use crate::DType;

/// A callable or constant on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    /// `collections.OrderedDict`.
    OrderedDict,
    /// `torch._utils._rebuild_tensor` and `_rebuild_tensor_v2`.
    Tensor,
    /// `torch._utils._rebuild_tensor_v3`: of an untyped storage.
    TypedTensor,
    /// `torch._utils._rebuild_parameter` and `_rebuild_parameter_with_state`.
    Parameter,
    /// `torch.Size`.
    Size,
    /// `torch.device`.
    Device,
    /// `torch.float32` and the like.
    DType(DType),
    /// `torch.FloatStorage` and the like; `None` for `UntypedStorage`.
    Storage(Option<DType>),
}

/// What a name stands for; `None` if it is not on the list.
pub(super) fn lookup(module: &str, name: &str) -> Option<Global> {
    Some(match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Global::Tensor,
        ("torch._utils", "_rebuild_tensor_v3") => Global::TypedTensor,
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
            Global::Parameter
        }
        ("torch", "Size") => Global::Size,
        ("torch", "device") => Global::Device,
        ("torch.storage", "UntypedStorage") => Global::Storage(None),
        ("torch" | "torch.cuda" | "torch.storage", name) => match name.strip_suffix("Storage") {
            Some(kind) => Global::Storage(Some(storage_type(kind)?)),
            None => Global::DType(value_type(name)?),
        },
        _ => return None,
    })
}

fn storage_type(kind: &str) -> Option<DType> {
    Some(match kind {
        "Double" => DType::F64,
        "Float" => DType::F32,
        "Half" => DType::F16,
        "BFloat16" => DType::Bf16,
        "Long" => DType::I64,
        "Int" => DType::I32,
        "Short" => DType::I16,
        "Char" => DType::I8,
        "Byte" => DType::U8,
        "Bool" => DType::Bool,
        _ => return None,
    })
}

fn value_type(name: &str) -> Option<DType> {
    Some(match name {
        "float64" | "double" => DType::F64,
        "float32" | "float" => DType::F32,
        "float16" | "half" => DType::F16,
        "bfloat16" => DType::Bf16,
        "int64" | "long" => DType::I64,
        "int32" | "int" => DType::I32,
        "int16" | "short" => DType::I16,
        "int8" => DType::I8,
        "uint64" => DType::U64,
        "uint32" => DType::U32,
        "uint16" => DType::U16,
        "uint8" => DType::U8,
        "bool" => DType::Bool,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_constructors_of_tensors_are_on_the_list() {
        assert_eq!(lookup("torch", "HalfStorage"), Some(Global::Storage(Some(DType::F16))));
        assert_eq!(lookup("torch", "float32"), Some(Global::DType(DType::F32)));
        for (module, name) in [
            ("os", "system"),
            ("posix", "system"),
            ("builtins", "eval"),
            ("__builtin__", "getattr"),
            ("torch.storage", "_load_from_bytes"),
            ("torch", "load"),
            ("torch", "jit"),
            ("torch.hub", "load"),
            ("collections", "OrderedDict.fromkeys"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("", ""),
        ] {
            assert_eq!(lookup(module, name), None, "{module}.{name}");
        }
    }
}
