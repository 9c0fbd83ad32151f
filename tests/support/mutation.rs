//! Damages an experiment's file in the ways in which people, programs and disks do.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

/// Texts that stand where a file has a number. Some are JSON, and some are only in other languages.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1",
    "2",
    "3",
    "0.5",
    "500.0",
    "2.5",
    "1e3",
    "1e-8",
    "1e-9",
    "1e-400",
    "5e-324",
    "1e308",
    "1e999",
    "-1e999",
    "255",
    "1024",
    "1025",
    "2000",
    "65536",
    "65537",
    "2147483648",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "-9223372036854775809",
    "99999999999999999999999999999999",
    "0.30000000000000004",
    "NaN",
    "Infinity",
    "-Infinity",
    "0x10",
    "01",
    "1.",
    ".5",
    "+1",
    "1_000",
    "1,5",
    "\"3\"",
    "null",
    "true",
    "½",
    "--1",
    "1e",
    "",
];

/// Texts that stand where a file has a name.
const NAMES: &[&str] = &[
    "",
    " ",
    "relu",
    "softmax",
    "adam",
    "conv2d",
    "type",
    "seed",
    "network.layers[0].units",
    "layers[99999999999]",
    "a\nb\tc",
    "\u{0}",
    "\u{1b}[31mred",
    "\u{7f}",
    "\u{202e}turned",
    "\u{feff}",
    "\"quoted\"",
    "ＲＥＬＵ",
    "é",
    "🦀",
    "../../etc/passwd",
    "{}",
    "%s%n",
    "<b>bold</b>",
];

/// Names of an experiment's own kinds.
const KINDS: &[&str] = &[
    "relu",
    "softmax",
    "sigmoid",
    "tanh",
    "gelu",
    "same",
    "valid",
    "dense",
    "flatten",
    "conv2d",
    "max_pool",
    "reshape",
    "save",
    "add_saved",
    "dropout",
    "batch_norm",
    "sgd",
    "adam",
    "lion",
    "mean_squared_error",
    "binary_crossentropy",
    "categorical_crossentropy",
    "uniform",
    "stripes",
    "pattern",
    "random",
    "balanced",
    "he_normal",
    "zeros",
    "cosine",
    "none",
];

/// Bytes that stand anywhere.
const PIECES: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\n",
    b"\0",
    b"\x1b",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"//",
    b"/*",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"'",
    b"\xe2\x80\xa8",
    b"\"seed\":1,",
    b"\"type\":\"dense\",",
];

/// Draws damage from a generator.
pub struct Mutation<'a>(pub &'a mut ChaCha8Rng);

impl Mutation<'_> {
    fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// An experiment's file with one to three mutations.
    pub fn file(&mut self, experiment: &Value) -> Vec<u8> {
        let mut value = experiment.clone();
        let count = 1 + self.below(3);
        // Damaged text is rarely JSON, so most files have changed values alone.
        let of_values = if self.below(4) == 0 { self.below(count + 1) } else { count };
        (0..of_values).for_each(|_| self.change(&mut value));
        let text = if self.below(2) == 0 {
            serde_json::to_string(&value)
        } else {
            serde_json::to_string_pretty(&value)
        };
        let mut bytes = text.expect("JSON").into_bytes();
        (of_values..count).for_each(|_| self.damage(&mut bytes));
        bytes
    }

    /// Changes a value at any depth.
    fn change(&mut self, value: &mut Value) {
        let descends = self.below(8) > 0;
        match value {
            Value::Object(fields) if descends && !fields.is_empty() => {
                let at = self.below(fields.len());
                self.change(fields.values_mut().nth(at).expect("an index of a field"));
            }
            Value::Array(entries) if descends && !entries.is_empty() => {
                let at = self.below(entries.len());
                self.change(&mut entries[at]);
            }
            Value::Object(fields) => self.change_object(fields),
            Value::Array(entries) => self.change_list(entries),
            leaf if self.below(4) > 0 => *leaf = self.near(leaf),
            leaf => *leaf = self.odd_value(leaf),
        }
    }

    fn change_object(&mut self, fields: &mut Map<String, Value>) {
        let names: Vec<_> = fields.keys().cloned().collect();
        let name =
            if names.is_empty() { String::new() } else { names[self.below(names.len())].clone() };
        match self.below(6) {
            0 => _ = fields.shift_remove(&name),
            1 => {
                let value = fields.shift_remove(&name).unwrap_or_default();
                fields.insert(self.odd_name(&name), value);
            }
            2 => {
                let other = names.get(self.below(names.len().max(1))).cloned().unwrap_or_default();
                let [first, second] = [&name, &other].map(|name| fields.get(name).cloned());
                fields.insert(name, second.unwrap_or_default());
                fields.insert(other, first.unwrap_or_default());
            }
            3 => _ = fields.insert(self.odd_name(&name), self.odd_value(&Value::Null)),
            4 => {
                let value = fields.get(&name).cloned().unwrap_or_default();
                fields.insert(name, self.odd_value(&value));
            }
            _ => fields.clear(),
        }
    }

    fn change_list(&mut self, entries: &mut Vec<Value>) {
        if entries.is_empty() {
            entries.push(self.odd_value(&Value::Null));
            return;
        }
        let [at, other] = [0; 2].map(|_| self.below(entries.len()));
        match self.below(5) {
            0 => _ = entries.remove(at),
            1 => entries.swap(at, other),
            2 => entries.insert(at, entries[other].clone()),
            3 => {
                // More layers than any network may have.
                let copies = vec![entries[at].clone(); self.below(100)];
                entries.extend(copies);
            }
            _ => entries[at] = self.odd_value(&entries[at].clone()),
        }
    }

    /// A value of the same type, so that many files are read to their end.
    fn near(&mut self, old: &Value) -> Value {
        match old {
            Value::Bool(on) => json!(!on),
            Value::String(_) => self.pick(KINDS).into(),
            Value::Number(number) => {
                let old = number.as_f64().unwrap_or_default();
                let new = self.pick(&[
                    0.0,
                    1.0,
                    2.0,
                    3.0,
                    5.0,
                    0.5,
                    1e-3,
                    100.0,
                    old + 1.0,
                    old - 1.0,
                    old * 2.0,
                    old / 2.0,
                ]);
                json!(new)
            }
            other => self.odd_value(other),
        }
    }

    /// A value in place of another: of another type, far away, or one level deeper.
    fn odd_value(&mut self, old: &Value) -> Value {
        match self.below(10) {
            0..4 => {
                let number = self.pick(NUMBERS);
                serde_json::from_str(number).unwrap_or_else(|_| number.into())
            }
            4 => self.pick(NAMES).into(),
            5 => self.pick(&[Value::Null, json!(true), json!(false)].each_ref()).clone(),
            6 => json!([old]),
            7 => json!({ self.odd_name("type"): old }),
            8 => "long ".repeat(1 + self.below(2000)).into(),
            _ => (0..1 + self.below(200)).fold(old.clone(), |inner, _| json!([inner])),
        }
    }

    fn odd_name(&mut self, old: &str) -> String {
        match self.below(5) {
            0 => self.pick(NAMES).into(),
            1 => old.to_uppercase(),
            2 => old.repeat(1 + self.below(300)),
            3 => format!("{old}\u{1b}[2J\n"),
            _ => old.chars().skip(1).collect(),
        }
    }

    /// Changes the bytes of a text.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let at = self.below(length + 1);
        let end = (at + self.below(40)).min(length);
        match self.below(9) {
            0 => bytes.truncate(at),
            1 => _ = bytes.drain(at..end),
            2 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            3 => _ = bytes.splice(at..at, self.pick(PIECES).iter().copied()),
            4 => _ = bytes.splice(0..0, *b"\xef\xbb\xbf"),
            5 if at < length => bytes[at] ^= 1 << self.below(8),
            // A key twice.
            6 => self.replace(bytes, b"{", |_| b"{\"seed\":1,".to_vec()),
            7 => {
                let depth = self.pick(&[10, 127, 128, 1000, 100_000]);
                bytes.splice(at..at, std::iter::repeat_n(self.pick(b"[{"), depth));
            }
            _ => {
                let number = self.pick(NUMBERS);
                self.replace(bytes, b"0123456789", |_| number.into());
            }
        }
    }

    /// Replaces a byte that is one of `wanted`, and the digits after it.
    fn replace(&mut self, bytes: &mut Vec<u8>, wanted: &[u8], by: impl Fn(u8) -> Vec<u8>) {
        let places: Vec<_> = (0..bytes.len()).filter(|&at| wanted.contains(&bytes[at])).collect();
        if places.is_empty() {
            return;
        }
        let at = self.pick(&places);
        let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let new = by(bytes[at]);
        bytes.splice(at..=at + digits, new);
    }
}
