//! The page of functions is the catalogue, written out: `UPDATE=1 cargo test -p watchbell-yaral --test functions` renews it.

use std::fs;

use watchbell_yaral::functions::{FUNCTIONS, Function, FunctionKind, Place, metrics::METRIC_FUNCTIONS};

const OPENING: &str = "# Functions

Every function of YARA-L 2.0 that Watchbell knows. A test writes this page from the catalogue: change that, then run
`UPDATE=1 cargo test -p watchbell-yaral --test functions`.

Arguments in brackets may be left out; `..` means that the last one may come again and again.
";

/// What no page settles.
const DECISIONS: &str = "
## Where the documentation is silent

Or contradicts itself. Here it is so:

- Patterns are RE2, searched in the whole text, also of several lines. `\\C` is not supported.
- All matches of one text (`re.capture_all`, `re.replace`) are searched for as long as this takes no more than about 64 MiB of
  reading in the worst case; beyond, and for results larger than 1 MiB or 65536 items, the call fails.
- In `re.replace`, `\\\\` is a backslash; a backslash before anything but a digit or a backslash fails.
- `net.ip_in_range_cidr` of an unset address is false, of a text that is no address it fails. An IPv4 address is in no network of
  IPv6.
- `math.log`, `math.pow`: what is no finite number is 0. `math.abs` of the smallest integer fails.
- `math.round` rounds halves away from zero: `math.round(1.2567, 2)` is 1.26.
- `strings.base64_decode` needs padding; bytes that are no text come with the sign for unreadable characters.
- `strings.from_hex` of an odd number of digits has no bytes.
- `strings.split` of \"\" is a list of one \"\".
- `strings.ends_with` of a text and itself is true, unless it is empty.
- `strings.extract_domain` of an address, and of a name with an empty label, is \"\"; the last label of an unknown name counts as
  its suffix.
- `cast.as_int` cuts decimals towards zero; `inf` and `nan` are no numbers.
- `cast.as_string` of an unsigned number above 2^63 - 1 gives the default.
- `timestamp.as_unix_seconds` of \"\" is 0, of a text that is no time it fails.
- `timestamp.get_timestamp` knows the elements of GoogleSQL's formats that need no fractions of seconds.
- Time zones `EST`, `MST`, `HST` are refused as `PST` is; names are otherwise those of the time zone database.
- `hash.fingerprint2011` is the public function of that name.
- `stddev` is that of a sample, as `window.stddev`.
- `array`, `array_distinct` hold the first 25 values in the order of the rows.
- `window.median` of an even count is the lower of the two values in the middle; `window.mode` of a tie is the first value.
- `sum` of integers fails only if the whole sum is beyond 64 bits.
- Aggregates of no rows are 0, 0.0, \"\" or an empty list.
- Texts are compared without case by Unicode's simple folding.
";

const CHAPTERS: [(FunctionKind, &str, &str); 4] = [
    (FunctionKind::Scalar, "Values", "From values to a value, in `events` and `outcome`."),
    (FunctionKind::Aggregate, "Aggregates", "Over the rows of a detection, in `outcome`."),
    (
        FunctionKind::Metric,
        "Metrics",
        "In `outcome`, with named arguments: `period`, `window`, `metric`, `agg`, perhaps `filter`, and fields. The service computes
them from months of data; here they are checked only. A metric gives numbers about:",
    ),
    (FunctionKind::SearchOnly, "Searches", "Searches have them, rules do not."),
];

fn page() -> String {
    let mut text = OPENING.to_owned();
    for (kind, title, about) in CHAPTERS {
        text.push_str(&format!("\n## {title}\n\n{about}\n\n| function | result | |\n|---|---|---|\n"));
        for function in FUNCTIONS.iter().chain(&METRIC_FUNCTIONS).filter(|function| function.kind == kind) {
            text.push_str(&format!("| `{}` | {} | {} |\n", function.signature(), function.summary, notes(function)));
        }
    }
    text + DECISIONS
}

fn notes(function: &Function) -> String {
    let mut notes = Vec::new();
    if function.place == Place::Condition {
        notes.push("only in `condition`".to_owned());
    }
    match function.offline() {
        _ if !function.documented => notes.push("not documented by Google, so not computed here".to_owned()),
        Err(reason) if function.kind == FunctionKind::Aggregate => notes.push(format!("not computed here: {reason}")),
        _ => {}
    }
    notes.join("; ")
}

#[test]
fn is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/FUNCTIONS.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, page()).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == page(), "FUNCTIONS.md is not what the catalogue says; run this test with UPDATE=1");
}
