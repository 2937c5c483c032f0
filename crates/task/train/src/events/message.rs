//! `Event` messages, in the wire format of protocol buffers.
//!
//! Eight fields of three messages do not need a compiler for schemas.
//!
//! # Source
//!
//! `tensorboard/compat/proto/{event,summary}.proto`; field numbers stand beside
//! the code that writes them.

/// What happened, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event<'a> {
    /// Seconds since 1970.
    pub(super) wall_time: f64,
    pub(super) step: u64,
    pub(super) what: What<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What<'a> {
    /// The first record of every file.
    Version,
    /// Events of this step and later in *earlier* files are void: the run went
    /// back to a checkpoint.
    Start,
    /// Numbers by name.
    Scalars(&'a [(&'a str, f32)]),
    /// A PNG file of `[height, width]`.
    Image { tag: &'a str, size: [usize; 2], png: &'a [u8] },
}

impl Event<'_> {
    pub(super) fn encoded(&self) -> Vec<u8> {
        let mut event = Message::default();
        event.double(1, self.wall_time);
        event.number(2, self.step);
        match self.what {
            What::Version => event.bytes(3, b"brain.Event:2"),
            What::Start => event.message(7, |log| log.number(1, 1)), // SessionLog.START
            What::Scalars(scalars) => event.message(5, |summary| {
                for &(tag, value) in scalars {
                    summary.message(1, |entry| {
                        entry.bytes(1, tag.as_bytes());
                        entry.float(2, value);
                    });
                }
            }),
            What::Image { tag, size: [height, width], png } => event.message(5, |summary| {
                summary.message(1, |entry| {
                    entry.bytes(1, tag.as_bytes());
                    entry.message(4, |image| {
                        image.number(1, height as u64);
                        image.number(2, width as u64);
                        image.number(3, 3); // RGB
                        image.bytes(4, png);
                    });
                });
            }),
        }
        event.0
    }
}

/// A message being written, field by field in the order of their numbers.
#[derive(Default)]
struct Message(Vec<u8>);

/// How a field's value is written: the low three bits of its key.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Eight = 1,
    Length = 2,
    Four = 5,
}

impl Message {
    fn key(&mut self, field: u64, wire: Wire) {
        self.varint(field << 3 | wire as u64);
    }

    /// Seven bits a byte, the lowest first; the high bit says that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// Zero is what a missing number means, and is left out.
    fn number(&mut self, field: u64, value: u64) {
        if value != 0 {
            self.key(field, Wire::Varint);
            self.varint(value);
        }
    }

    fn double(&mut self, field: u64, value: f64) {
        self.key(field, Wire::Eight);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn float(&mut self, field: u64, value: f32) {
        self.key(field, Wire::Four);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.key(field, Wire::Length);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn message(&mut self, field: u64, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::record::framed;

    /// `golden/events/make_tensorboard.py` writes the same events.
    #[test]
    fn records_are_tensorboards_own() {
        let png: Vec<u8> = (0..=255).collect();
        let events = [
            (0, What::Version),
            (0, What::Start),
            (1, What::Scalars(&[("loss/total", 0.5)])),
            (300, What::Scalars(&[("a", 0.0), ("ä", -1e30), ("nan", f32::NAN)])),
            (1 << 40, What::Scalars(&[("late", f32::INFINITY)])),
            (7, What::Image { tag: "preview", size: [4, 300], png: &png }),
            (300, What::Start),
        ];
        let mut got = vec![];
        for (i, (step, what)) in events.into_iter().enumerate() {
            let wall_time = 1.75e9 + i as f64 / 4.0;
            got.extend(framed(&Event { wall_time, step, what }.encoded()));
        }
        let want = std::fs::read(testing::golden_path("events/tensorboard.tfevents")).unwrap();
        assert!(got == want, "got {got:02x?}\nwant {want:02x?}");
    }
}
