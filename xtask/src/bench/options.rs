use anyhow::{Context, Result, bail};

/// What the benchmark is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// How many turns each row gets.
    pub(super) rounds: usize,
    /// How many threads everyone may use.
    pub(super) threads: usize,
    /// A part of the names of the cases to run.
    pub(super) only: String,
    pub(super) peers: Peers,
    /// Whether a file is written.
    pub(super) record: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peers {
    Run,
    Skip,
}

impl Options {
    pub(super) fn parse(args: &[String]) -> Result<Self> {
        let only = String::new();
        let mut o = Self { rounds: 7, threads: 2, only, peers: Peers::Run, record: true };
        let mut args = args.iter();
        while let Some(flag) = args.next() {
            match flag.as_str() {
                "--no-peers" => o.peers = Peers::Skip,
                "--no-record" => o.record = false,
                "--rounds" => o.rounds = number(flag, args.next())?,
                "--threads" => o.threads = number(flag, args.next())?,
                "--only" => o.only.clone_from(args.next().context("--only needs a name")?),
                other => bail!("bench knows no option {other:?}"),
            }
        }
        Ok(o)
    }
}

fn number(flag: &str, value: Option<&String>) -> Result<usize> {
    match value.and_then(|v| v.parse().ok()) {
        Some(n) if n > 0 => Ok(n),
        _ => bail!("{flag} needs a number from 1"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn reads_every_flag() {
        let o = parse("--rounds 3 --threads 1 --only vgg --no-peers --no-record").unwrap();
        let only = String::from("vgg");
        let want = Options { rounds: 3, threads: 1, only, peers: Peers::Skip, record: false };
        assert_eq!(o, want);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (line, want) in [
            ("--fast", "no option \"--fast\""),
            ("--rounds", "--rounds needs a number"),
            ("--rounds 0", "--rounds needs a number"),
            ("--only", "--only needs a name"),
        ] {
            let message = parse(line).unwrap_err().to_string();
            assert!(message.contains(want), "{line}: {message}");
        }
    }
}
