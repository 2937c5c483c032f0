//! A pickle machine that executes nothing.
//!
//! A pickle is a program for a stack machine. Python's can call any function; ours
//! knows the opcodes that build plain data (protocols 0 to 5, but for the text
//! opcodes of protocol 0), and hands every call to [`super::build`], which knows a
//! handful of tensor constructors by name. It reads at most the header limit, and
//! every object, stack place and memo counts against a limit of its own, so that
//! the memory it takes is bounded by the limits whatever the program says.

use std::collections::BTreeMap;
use std::io::Read;

use super::build;
use super::globals::{self, Global};
use super::object::{Heap, Object, Ref};
use crate::source::{Source, io_error};
use crate::{Format, Limits, WeightsError};

/// Objects, stack places and memos per tensor allowed: a tensor with its name,
/// storage, sizes and strides takes about 25.
const OBJECTS_PER_ENTRY: usize = 32;

pub(super) struct Machine<'m, 'a> {
    source: &'m mut Source<'a>,
    format: Format,
    limits: &'m Limits,
    /// Bytes read so far.
    at: u64,
    pub(super) heap: Heap,
    stack: Vec<Ref>,
    marks: Vec<usize>,
    memo: BTreeMap<u32, Ref>,
    /// Numbers and names copied into new objects, as words: a call can copy a long list
    /// again and again.
    items: usize,
}

type Step<T> = Result<T, WeightsError>;

impl<'m, 'a> Machine<'m, 'a> {
    pub(super) fn new(source: &'m mut Source<'a>, format: Format, limits: &'m Limits) -> Self {
        let (heap, stack, marks) = (Heap::default(), vec![], vec![]);
        Self { source, format, limits, at: 0, heap, stack, marks, memo: BTreeMap::new(), items: 0 }
    }

    /// Runs one pickle from the source's place to its end; the objects stay in the heap.
    pub(super) fn run(&mut self) -> Step<Ref> {
        (self.at, self.stack, self.marks) = (0, vec![], vec![]);
        self.memo.clear();
        loop {
            self.check_size()?;
            let [op] = self.array()?;
            if op == b'.' {
                return self.pop();
            }
            self.step(op)?;
        }
    }

    fn check_size(&self) -> Step<()> {
        let most = self.limits.entries.saturating_mul(OBJECTS_PER_ENTRY);
        let counts =
            [self.heap.len(), self.stack.len(), self.marks.len(), self.memo.len(), self.items];
        if counts.iter().any(|&n| n > most) {
            return Err(WeightsError::TooMany { limit: self.limits.entries });
        }
        Ok(())
    }

    fn step(&mut self, op: u8) -> Step<()> {
        match op {
            0x80 => drop(self.array::<1>()?), // PROTO
            0x95 => drop(self.array::<8>()?), // FRAME
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'q' | b'r' | 0x94 | b'h' | b'j' => return self.memo(op),
            b'l' | b't' | 0x91 => {
                let items = self.pop_mark()?;
                return self.push(Object::Sequence(items));
            }
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(op - 0x84))?;
                return self.push(Object::Sequence(items));
            }
            b'd' => {
                let items = self.pop_mark()?;
                let pairs = self.pairs(&items)?;
                return self.push(Object::Dict(pairs));
            }
            b'a' | b'e' | 0x90 | b's' | b'u' => return self.fill(op),
            b'c' | 0x93 => return self.global(op),
            b'R' | 0x81 | b'Q' | b'b' => return self.call(op),
            _ => {
                let object = self.constant(op)?;
                return self.push(object);
            }
        }
        Ok(())
    }

    fn memo(&mut self, op: u8) -> Step<()> {
        let index = match op {
            b'q' | b'h' => u32::from(self.array::<1>()?[0]),
            b'r' | b'j' => u32::from_le_bytes(self.array()?),
            _ => u32::try_from(self.memo.len()).map_err(|_over| self.corrupt("too many memos"))?,
        };
        if op == b'h' || op == b'j' {
            let known = self.memo.get(&index).copied();
            let known = known.ok_or_else(|| self.corrupt("an unknown memo"))?;
            self.stack.push(known);
        } else {
            let top = self.top()?;
            self.memo.insert(index, top);
        }
        Ok(())
    }

    /// Opcodes that push a value which stands in the pickle.
    fn constant(&mut self, op: u8) -> Step<Object> {
        Ok(match op {
            b'N' => Object::Opaque,
            0x88 | 0x89 => Object::Bool(op == 0x88),
            b'K' => Object::Int(self.array::<1>()?[0].into()),
            b'M' => Object::Int(u16::from_le_bytes(self.array()?).into()),
            b'J' => Object::Int(i32::from_le_bytes(self.array()?).into()),
            0x8a | 0x8b => {
                let len = self.length(op)?;
                self.long(len)?
            }
            b'G' => Object::Float(f64::from_be_bytes(self.array()?)),
            // Python 2's byte strings, `U` and `T`, are names there.
            0x8c | b'U' | b'X' | b'T' | 0x8d => {
                let len = self.length(op)?;
                Object::Text(self.text(len)?)
            }
            b'C' | b'B' | 0x8e | 0x96 => {
                let len = self.length(op)?;
                self.bytes(len).map(|_| Object::Opaque)?
            }
            b')' | b']' | 0x8f => Object::Sequence(vec![]),
            b'}' => Object::Dict(vec![]),
            other => {
                let what = format!("pickle opcode {other:#04x}");
                return Err(WeightsError::unsupported(self.format, what));
            }
        })
    }

    /// How long the value of an opcode is, which one byte, four or eight say.
    fn length(&mut self, op: u8) -> Step<u64> {
        Ok(match op {
            0x8a | 0x8c | b'U' | b'C' => self.array::<1>()?[0].into(),
            0x8d | 0x8e | 0x96 => u64::from_le_bytes(self.array()?),
            _ => u32::from_le_bytes(self.array()?).into(),
        })
    }

    /// Appends to a list, or sets items of a dictionary.
    fn fill(&mut self, op: u8) -> Step<()> {
        let items = match op {
            b'a' => self.pop_many(1)?,
            b's' => self.pop_many(2)?,
            _ => self.pop_mark()?,
        };
        let pairs = if matches!(op, b's' | b'u') { self.pairs(&items)? } else { vec![] };
        let target = self.top()?;
        match (self.heap.get_mut(target), op) {
            (Object::Sequence(list), b'a' | b'e' | 0x90) => list.extend(items),
            (Object::Dict(dict), b's' | b'u') => dict.extend(pairs),
            _ => return Err(self.corrupt("items for something that holds none")),
        }
        Ok(())
    }

    fn global(&mut self, op: u8) -> Step<()> {
        let (module, name) = if op == b'c' {
            (self.line()?, self.line()?)
        } else {
            let [module, name] = [self.pop()?, self.pop()?].map(|r| self.heap.text(r));
            let names = name.zip(module).map(|(m, n)| (m.to_owned(), n.to_owned()));
            names.ok_or_else(|| self.corrupt("a global without a name"))?
        };
        let found = globals::lookup(&module, &name);
        let global = found
            .ok_or_else(|| WeightsError::ForbiddenGlobal { global: format!("{module}.{name}") })?;
        self.push(Object::Global(global))
    }

    fn call(&mut self, op: u8) -> Step<()> {
        let argument = self.pop()?;
        let object = match op {
            b'Q' => build::storage(&self.heap, argument),
            // State of an object: an OrderedDict's attributes, a tensor's hooks.
            b'b' => return self.top().map(drop),
            _ => {
                let callable = self.pop()?;
                let Object::Global(global) = self.heap[callable] else {
                    return Err(self.corrupt("a call of something that is no function"));
                };
                self.build(global, argument)
            }
        };
        match object {
            Some(object) => self.push(object),
            None => Err(self.corrupt("a constructor with arguments it does not take")),
        }
    }

    fn build(&self, global: Global, arguments: Ref) -> Option<Object> {
        build::call(&self.heap, global, self.heap.sequence(arguments)?)
    }

    fn push(&mut self, object: Object) -> Step<()> {
        self.items = self.items.saturating_add(match &object {
            Object::Sequence(items) => items.len(),
            Object::Dict(items) => items.len(),
            Object::Tensor(view) => 2 * view.shape.len() + view.storage.key.len() / 8,
            Object::Storage(storage) => storage.key.len() / 8,
            _ => 0,
        });
        let added = self.heap.add(object);
        let added = added.ok_or(WeightsError::TooMany { limit: self.limits.entries })?;
        self.stack.push(added);
        Ok(())
    }

    fn top(&self) -> Step<Ref> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let top = self.stack.get(floor..).and_then(<[Ref]>::last);
        top.copied().ok_or_else(|| self.corrupt("the stack is empty"))
    }

    fn pop(&mut self) -> Step<Ref> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_many(&mut self, n: usize) -> Step<Vec<Ref>> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let from = self.stack.len().checked_sub(n).filter(|&from| from >= floor);
        let from = from.ok_or_else(|| self.corrupt("the stack is empty"))?;
        Ok(self.stack.split_off(from))
    }

    /// Everything above the last mark, which goes too.
    fn pop_mark(&mut self) -> Step<Vec<Ref>> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        let mark = mark.ok_or_else(|| self.corrupt("no mark"))?;
        Ok(self.stack.split_off(mark))
    }

    fn pairs(&self, items: &[Ref]) -> Step<Vec<(Ref, Ref)>> {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(self.corrupt("a key without a value"));
        }
        Ok(pairs.iter().map(|&[k, v]| (k, v)).collect())
    }

    fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let mut bytes = [0; N];
        self.advance(N as u64)?;
        let read = self.source.read_exact(&mut bytes);
        read.map_err(|e| io_error(self.format, self.at, e))?;
        Ok(bytes)
    }

    fn bytes(&mut self, len: u64) -> Step<Vec<u8>> {
        if len > self.source.left()? {
            return Err(self.corrupt("the file ends early"));
        }
        self.advance(len)?;
        let mut bytes = vec![];
        let read = self.source.by_ref().take(len).read_to_end(&mut bytes);
        read.map_err(|e| io_error(self.format, self.at, e))?;
        Ok(bytes)
    }

    fn advance(&mut self, len: u64) -> Step<()> {
        self.at = self.at.saturating_add(len);
        self.limits.check_header(self.at)
    }

    fn text(&mut self, len: u64) -> Step<String> {
        let bytes = self.bytes(len)?;
        String::from_utf8(bytes).map_err(|_not_utf8| self.corrupt("a text that is not UTF-8"))
    }

    /// Text up to a newline.
    fn line(&mut self) -> Step<String> {
        let mut bytes = vec![];
        loop {
            match self.array()? {
                [b'\n'] => break,
                [byte] => bytes.push(byte),
            }
        }
        String::from_utf8(bytes).map_err(|_not_utf8| self.corrupt("a text that is not UTF-8"))
    }

    /// A little-endian integer of any length; those beyond 128 bits mean nothing here.
    fn long(&mut self, len: u64) -> Step<Object> {
        let bytes = self.bytes(len)?;
        if bytes.len() > size_of::<i128>() {
            return Ok(Object::Opaque);
        }
        let sign = if bytes.last().is_some_and(|&b| b >= 0x80) { 0xff } else { 0 };
        let mut wide = [sign; size_of::<i128>()];
        wide[..bytes.len()].copy_from_slice(&bytes);
        Ok(Object::Int(i128::from_le_bytes(wide)))
    }

    pub(super) fn corrupt(&self, what: &str) -> WeightsError {
        WeightsError::corrupt(self.format, self.at, format!("the pickle has {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pickle: &[u8]) -> Result<Object, WeightsError> {
        let mut source = Source::bytes(pickle);
        let limits = Limits { entries: 8, ..Limits::default() };
        let mut machine = Machine::new(&mut source, Format::PytorchZip, &limits);
        let root = machine.run()?;
        Ok(machine.heap[root].clone())
    }

    #[test]
    fn plain_values() {
        let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
        assert_eq!(run(magic).unwrap(), Object::Int(0x1950_a86a_20f9_469c_fc6c));
        assert_eq!(run(b"\x8a\x01\xff.").unwrap(), Object::Int(-1));
        assert_eq!(run(b"\x8a\x00.").unwrap(), Object::Int(0));
        assert_eq!(run(b"G\x3f\xe0\0\0\0\0\0\0.").unwrap(), Object::Float(0.5));
        assert_eq!(run(b"X\x02\0\0\0hi.").unwrap(), Object::Text("hi".to_owned()));
    }

    #[test]
    fn both_ways_to_name_a_function_are_refused_by_name() {
        for pickle in [&b"cos\nsystem\n."[..], b"\x8c\x02os\x8c\x06system\x93."] {
            let message = run(pickle).unwrap_err().to_string();
            assert_eq!(message, "the pickle wants to call os.system, which is not allowed");
        }
    }

    #[test]
    fn a_crooked_program_is_refused() {
        for pickle in [
            &b""[..],
            b".",
            b"a.",
            b"]a.",
            b"t.",
            b"K\x01(a.",
            b"(K\x010e.",
            b"}(K\x01u.",
            b"K\x01K\x02a.",
            b"h\x05.",
            b"\x85.",
            b"K\x01)R.",
            b"ccollections\nOrderedDict\nK\x01R.",
            b"I1\n.",
        ] {
            assert!(run(pickle).is_err(), "{pickle:?}");
        }
    }

    #[test]
    fn a_bomb_meets_the_limit() {
        for op in [b'N', b'2', b'(', 0x94] {
            let mut pickle = vec![b'N'];
            pickle.extend([op; 1000]);
            pickle.push(b'.');
            assert!(matches!(run(&pickle), Err(WeightsError::TooMany { .. })), "{op:#x}");
        }
        let long_claim = b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f";
        assert!(matches!(run(long_claim), Err(WeightsError::Corrupt { .. })));
    }
}
