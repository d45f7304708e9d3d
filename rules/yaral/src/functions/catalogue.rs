//! Every function, in the order of its name; `metrics.*` stand in [`super::metrics`].
//!
//! The order is what makes a name findable by halving; a test holds it.

use super::{
    Compute, Function, FunctionKind, Kind, Parameter, Place, Role, arrays, casts, hash, math,
    metrics::{self, METRIC_FUNCTIONS},
    net, patterns, strings, time, url,
};
use crate::types::{Element, Type};

/// A function by its name; the case of letters does not matter.
#[must_use]
pub fn find(name: &str) -> Option<&'static Function> {
    let in_order = |function: &Function| function.name.bytes().cmp(name.bytes().map(|byte| byte.to_ascii_lowercase()));
    let table: &'static [Function] = if metrics::is_metric(name) { &METRIC_FUNCTIONS } else { FUNCTIONS };
    table.binary_search_by(in_order).ok().map(|position| &table[position])
}

/// The function that was probably meant.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    let names = || FUNCTIONS.iter().chain(&METRIC_FUNCTIONS).map(|function| function.name);
    // A name without its group, or with another one: `concat`, `string.concat`.
    let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    watchbell_udm::schema::nearest(name, names())
        // The last of them: of `arrays.concat` and `strings.concat`, texts are meant more often.
        .or_else(|| names().rfind(|known| known.rsplit('.').next() == Some(last.as_str())))
}

const UNKNOWN: &str = "Google's pages do not say what it computes";
const SEARCH: &str = "only searches have it";

const fn function(name: &'static str, parameters: &'static [Parameter], returns: Type) -> Function {
    let returns = Some(returns);
    Function {
        name,
        kind: FunctionKind::Scalar,
        parameters,
        variadic: false,
        returns,
        documented: true,
        place: Place::EventsAndOutcome,
        summary: "",
        online: None,
        compute: None,
    }
}

const fn aggregate(name: &'static str, parameters: &'static [Parameter], returns: Type) -> Function {
    Function { kind: FunctionKind::Aggregate, place: Place::Outcome, ..function(name, parameters, returns) }
}

const fn undocumented(name: &'static str, parameters: &'static [Parameter], returns: Type) -> Function {
    Function { documented: false, online: Some(UNKNOWN), ..function(name, parameters, returns) }
}

impl Function {
    const fn variadic(self) -> Self {
        Self { variadic: true, ..self }
    }

    const fn like_its_argument(self) -> Self {
        Self { returns: None, ..self }
    }

    const fn only_in(self, place: Place) -> Self {
        Self { place, ..self }
    }

    const fn not_here(self, reason: &'static str) -> Self {
        Self { online: Some(reason), ..self }
    }

    const fn of_searches(self) -> Self {
        Self { kind: FunctionKind::SearchOnly, ..self }
    }

    const fn runs(self, compute: Compute) -> Self {
        Self { compute: Some(compute), ..self }
    }

    const fn says(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }
}

const fn parameter(name: &'static str, types: &'static [Kind]) -> Parameter {
    Parameter { name, types, optional: false, role: Role::Plain }
}

const fn optional(name: &'static str, types: &'static [Kind]) -> Parameter {
    Parameter { optional: true, ..parameter(name, types) }
}

const fn pattern(groups: Option<usize>) -> Parameter {
    Parameter { role: Role::Pattern { groups }, ..parameter("pattern", &[Kind::String, Kind::Regex]) }
}

const fn text(name: &'static str) -> Parameter {
    parameter(name, &[Kind::String])
}

const fn optional_text(name: &'static str) -> Parameter {
    optional(name, &[Kind::String])
}

const fn int(name: &'static str) -> Parameter {
    parameter(name, &[Kind::Int])
}

const fn number(name: &'static str) -> Parameter {
    parameter(name, &[Kind::Number])
}

const fn list(name: &'static str) -> Parameter {
    parameter(name, &[Kind::List])
}

const fn any(name: &'static str) -> Parameter {
    parameter(name, &[])
}

const REPLACEMENT: Parameter = Parameter { role: Role::Replacement, ..text("replacement") };
const IGNORE_ZERO: Parameter = optional("ignore_zero", &[Kind::Bool]);
const SORTED: &[Parameter] = &[int("sort"), any("value")];
const MOMENT: &[Parameter] = &[int("seconds"), optional_text("zone")];
/// What stands in texts and numbers alike: the arguments of `strings.concat`.
const TEXT_OR_NUMBER: &[Kind] = &[Kind::String, Kind::Number];
const TEXT_OR_BYTES: &[Kind] = &[Kind::String, Kind::Bytes];
const SCALARS: &[Kind] = &[Kind::String, Kind::Number, Kind::Bool, Kind::Bytes];
const STRINGS: Type = Type::List(Element::String);

/// Every function but those of `metrics`.
pub static FUNCTIONS: &[Function] = &[
    aggregate("array", &[any("value")], Type::List(Element::Any)).says("the values, the first 25 of them"),
    aggregate("array_distinct", &[any("value")], Type::List(Element::Any))
        .says("the distinct values, the first 25 of them"),
    function("arrays.concat", &[list("first"), list("second")], STRINGS)
        .runs(arrays::concat)
        .says("the items of both lists, as texts"),
    function("arrays.contains", &[list("list"), any("value")], Type::Bool)
        .only_in(Place::Condition)
        .runs(arrays::contains)
        .says("whether the value is among the items"),
    undocumented("arrays.index_to_bool", &[list("list"), int("index")], Type::Bool).says("an item as a bool"),
    function("arrays.index_to_float", &[list("list"), int("index")], Type::Float)
        .runs(arrays::index_to_float)
        .says("an item as a number, counted from 0, from the end if negative; 0.0 if there is none"),
    function("arrays.index_to_int", &[list("list"), int("index")], Type::Int)
        .runs(arrays::index_to_int)
        .says("an item as a whole number, counted from 0, from the end if negative; 0 if there is none"),
    function("arrays.index_to_str", &[list("list"), int("index")], Type::String)
        .runs(arrays::index_to_str)
        .says("an item as a text, counted from 0, from the end if negative; \"\" if there is none"),
    function("arrays.join_string", &[list("list"), optional_text("delimiter")], Type::String)
        .runs(arrays::join_string)
        .says("the items as one text, with the delimiter between them"),
    function("arrays.length", &[list("field")], Type::Int)
        .runs(arrays::size)
        .says("how many values a repeated field has"),
    function("arrays.max", &[list("list")], Type::Float)
        .runs(arrays::max)
        .says("the greatest item; 0 of an empty list"),
    function("arrays.min", &[list("list"), IGNORE_ZERO], Type::Float)
        .runs(arrays::min)
        .says("the smallest item; 0 of an empty list"),
    function("arrays.size", &[list("list")], Type::Int).runs(arrays::size).says("how many items a list has"),
    aggregate("avg", &[number("value")], Type::Float).says("the mean"),
    function("bytes.to_base64", &[parameter("bytes", &[Kind::Bytes]), optional_text("default")], Type::String)
        .runs(casts::to_base64)
        .says("the bytes in base64"),
    function("cast.as_bool", &[parameter("value", SCALARS)], Type::Bool)
        .runs(casts::as_bool)
        .says("true for the number 1 and for \"true\" in any case"),
    function("cast.as_float", &[parameter("value", SCALARS)], Type::Float)
        .runs(casts::as_float)
        .says("the number that a text spells, 7 decimals kept; 0 if it is none"),
    function("cast.as_int", &[parameter("value", SCALARS)], Type::Int)
        .runs(casts::as_int)
        .says("the number that a text spells, without its decimals; 0 if it is none"),
    function("cast.as_string", &[parameter("value", SCALARS), optional_text("default")], Type::String)
        .runs(casts::as_string)
        .says("the value as a text; the default if that fails"),
    undocumented("cast.as_uint", &[parameter("value", SCALARS)], Type::Uint).says("the number that a text spells"),
    aggregate("count", &[any("value")], Type::Int).says("how many rows there are"),
    aggregate("count_distinct", &[any("value")], Type::Int).says("how many distinct values there are"),
    aggregate("earliest", &[parameter("time", &[Kind::Timestamp])], Type::Timestamp).says("the first point in time"),
    function("group", &[any("field")], Type::Any)
        .variadic()
        .of_searches()
        .not_here(SEARCH)
        .says("a placeholder for the values of several fields"),
    function("hash.fingerprint2011", &[parameter("value", TEXT_OR_BYTES)], Type::Uint)
        .runs(hash::fingerprint2011)
        .says("the 64-bit fingerprint of that name"),
    undocumented("hash.md5", &[parameter("value", TEXT_OR_BYTES)], Type::String).says("MD5 in hexadecimal"),
    function("hash.sha256", &[parameter("value", TEXT_OR_BYTES)], Type::String)
        .runs(hash::sha256)
        .says("SHA-256 in hexadecimal"),
    undocumented("hash.sha512", &[parameter("value", TEXT_OR_BYTES)], Type::String).says("SHA-512 in hexadecimal"),
    aggregate("latest", &[parameter("time", &[Kind::Timestamp])], Type::Timestamp).says("the last point in time"),
    function("math.abs", &[number("value")], Type::Any)
        .like_its_argument()
        .runs(math::abs)
        .says("the value without its sign"),
    function("math.ceil", &[number("value")], Type::Int)
        .runs(math::ceil)
        .says("the next whole number upwards; 0 beyond 64 bits"),
    function("math.floor", &[number("value")], Type::Int)
        .runs(math::floor)
        .says("the next whole number downwards; 0 beyond 64 bits"),
    function(
        "math.geo_distance",
        &[number("longitude1"), number("latitude1"), number("longitude2"), number("latitude2")],
        Type::Float,
    )
    .runs(math::geo_distance)
    .says("metres between two places; -1 if one does not exist"),
    function("math.is_increasing", &[number("first"), number("second"), number("third")], Type::Bool)
        .runs(math::is_increasing)
        .says("whether each number is greater than the one before"),
    function("math.log", &[number("value")], Type::Float).runs(math::log).says("the natural logarithm"),
    function("math.pow", &[number("base"), number("exponent")], Type::Float)
        .runs(math::pow)
        .says("the power; 0 if it is too large"),
    function("math.random", &[], Type::Float).runs(math::random).says("a random number from 0 up to 1"),
    function("math.round", &[number("value"), optional("places", &[Kind::Int])], Type::Float)
        .of_searches()
        .runs(math::round)
        .says("the value rounded, halves away from zero"),
    function("math.sqrt", &[number("value")], Type::Float)
        .runs(math::sqrt)
        .says("the square root; 0 of a negative number"),
    aggregate("max", &[number("value")], Type::Any).like_its_argument().says("the greatest value"),
    aggregate("min", &[number("value")], Type::Any).like_its_argument().says("the smallest value"),
    function("net.ip_in_range_cidr", &[text("ip"), text("network")], Type::Bool)
        .runs(net::ip_in_range_cidr)
        .says("whether the address lies in the network"),
    function("optimization.sample_rate", &[parameter("value", TEXT_OR_BYTES), int("share"), int("of")], Type::Bool)
        .runs(hash::sample_rate)
        .says("true for about this share of values, always for the same ones"),
    aggregate("period_start_for_max", &[any("value")], Type::Int)
        .not_here(metrics::ONLINE)
        .says("the start of the period in which a metric was greatest"),
    aggregate("period_start_for_min", &[any("value")], Type::Int)
        .not_here(metrics::ONLINE)
        .says("the start of the period in which a metric was smallest"),
    function("re.capture", &[text("text"), pattern(Some(1))], Type::String)
        .runs(patterns::capture)
        .says("the first match: its group if the pattern has one, else the whole; \"\" if there is none"),
    function("re.capture_all", &[text("text"), pattern(Some(1))], STRINGS)
        .runs(patterns::capture_all)
        .says("every match: its group if the pattern has one, else the whole"),
    function("re.regex", &[text("text"), pattern(None)], Type::Bool)
        .runs(patterns::regex)
        .says("whether the pattern matches somewhere"),
    function("re.replace", &[text("text"), pattern(None), REPLACEMENT], Type::String)
        .runs(patterns::replace)
        .says("the text with every match replaced; `\\1` stands for a group, `\\0` for the whole match"),
    aggregate("stddev", &[number("value")], Type::Float).says("the standard deviation of a sample"),
    function("strings.base64_decode", &[text("text")], Type::String)
        .runs(casts::base64_decode)
        .says("what the base64 spells; the text itself if it is none"),
    function("strings.coalesce", &[parameter("text", &[Kind::String])], Type::String)
        .variadic()
        .runs(strings::coalesce)
        .says("the first argument that is not empty"),
    function("strings.concat", &[parameter("value", TEXT_OR_NUMBER)], Type::String)
        .variadic()
        .runs(strings::concat)
        .says("the arguments as one text"),
    function("strings.contains", &[text("text"), text("part")], Type::Bool)
        .runs(strings::contains)
        .says("whether the part occurs"),
    function("strings.count_substrings", &[text("text"), text("part")], Type::Int)
        .runs(strings::count_substrings)
        .says("how often the part occurs, without overlaps"),
    function("strings.ends_with", &[text("text"), text("suffix")], Type::Bool)
        .runs(strings::ends_with)
        .says("whether the text ends so; false for an empty suffix"),
    function("strings.extract_domain", &[text("url")], Type::String)
        .runs(url::extract_domain)
        .says("the registrable domain; \"\" if none"),
    function("strings.extract_hostname", &[text("url")], Type::String)
        .runs(url::extract_hostname)
        .says("the host; \"\" if none"),
    function("strings.from_base64", &[text("text")], Type::Bytes)
        .runs(casts::from_base64)
        .says("what the base64 spells; no bytes if it is none"),
    function("strings.from_hex", &[text("text")], Type::Bytes)
        .runs(casts::from_hex)
        .says("what the hexadecimal digits spell; no bytes if they are none"),
    function("strings.length", &[text("text")], Type::Int)
        .runs(strings::length)
        .says("how many characters the text has"),
    function("strings.ltrim", &[text("text"), text("cutset")], Type::String)
        .runs(strings::ltrim)
        .says("the text without the characters of the set at its start"),
    function("strings.reverse", &[text("text")], Type::String)
        .runs(strings::reverse)
        .says("the characters in reverse order"),
    function("strings.rtrim", &[text("text"), text("cutset")], Type::String)
        .runs(strings::rtrim)
        .says("the text without the characters of the set at its end"),
    undocumented("strings.shannon_entropy", &[text("text")], Type::Float).says("bits of information a character"),
    function("strings.split", &[text("text"), optional_text("delimiter")], STRINGS)
        .runs(strings::split)
        .says("the parts between delimiters, commas if none is given; characters if it is empty"),
    // No page has it; the rules that Google publishes use it.
    function("strings.starts_with", &[text("text"), text("prefix")], Type::Bool)
        .runs(strings::starts_with)
        .says("whether the text begins so; false for an empty prefix"),
    function("strings.to_lower", &[text("text")], Type::String).runs(strings::to_lower).says("the text in lower case"),
    function("strings.to_upper", &[text("text")], Type::String).runs(strings::to_upper).says("the text in upper case"),
    function("strings.trim", &[text("text"), text("cutset")], Type::String)
        .runs(strings::trim)
        .says("the text without the characters of the set at both ends"),
    function("strings.url_decode", &[text("text")], Type::String)
        .runs(url::url_decode)
        .says("the text with `%41` read as bytes; \"\" if that fails"),
    aggregate("sum", &[number("value")], Type::Any).like_its_argument().says("the sum"),
    function("timestamp.as_unix_seconds", &[text("time"), optional_text("zone")], Type::Int)
        .runs(time::as_unix_seconds)
        .says("seconds since 1970 of a time such as `2026-01-31 10:00:00`"),
    function("timestamp.current_seconds", &[], Type::Int).runs(time::now).says("seconds since 1970, now"),
    undocumented("timestamp.diff", &[int("end"), int("start"), text("unit")], Type::Int).says("the time between two"),
    function("timestamp.get_date", MOMENT, Type::String).runs(time::date).says("the date: `2026-01-31`"),
    function("timestamp.get_day_of_week", MOMENT, Type::Int)
        .runs(time::day_of_week)
        .says("the day of the week: Sunday is 1, Saturday 7"),
    function("timestamp.get_hour", MOMENT, Type::Int).runs(time::hour).says("the hour, 0 to 23"),
    function("timestamp.get_minute", MOMENT, Type::Int).runs(time::minute).says("the minute, 0 to 59"),
    undocumented("timestamp.get_month", MOMENT, Type::Int).says("the month"),
    function(
        "timestamp.get_timestamp",
        &[int("seconds"), optional_text("format"), optional_text("zone")],
        Type::String,
    )
    .runs(time::timestamp)
    .says("the time as a text: by a granularity such as `HOUR`, or by a format such as `%F %T`"),
    function("timestamp.get_week", MOMENT, Type::Int)
        .runs(time::week)
        .says("the week of the year, 0 to 53; weeks begin on Sunday, days before the first one are week 0"),
    function("timestamp.now", &[], Type::Int).runs(time::now).says("seconds since 1970, now"),
    undocumented("timestamp.truncate", &[int("seconds"), text("unit")], Type::Int).says("the start of a span of time"),
    aggregate("window.avg", &[number("value"), IGNORE_ZERO], Type::Float).says("the mean in the window"),
    aggregate("window.first", SORTED, Type::String).says("the value with the lowest sort key"),
    aggregate("window.last", SORTED, Type::String).says("the value with the highest sort key"),
    aggregate("window.median", &[number("value"), IGNORE_ZERO], Type::Float)
        .says("the middle value; of two, the lower one"),
    aggregate("window.mode", &[any("value")], Type::String).says("the most frequent value; of several, the first"),
    aggregate("window.range", &[number("value"), IGNORE_ZERO], Type::List(Element::Float))
        .says("the smallest and the greatest value"),
    aggregate("window.stddev", &[number("value")], Type::Float).says("the standard deviation of a sample"),
    aggregate("window.variance", &[number("value")], Type::Float).says("the variance of a sample"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ascend_and_are_found() {
        for table in [FUNCTIONS, &METRIC_FUNCTIONS] {
            assert!(table.is_sorted_by(|first, second| first.name < second.name));
            for function in table {
                assert!(
                    std::ptr::eq(find(&function.name.to_ascii_uppercase()).unwrap(), function),
                    "{}",
                    function.name
                );
                assert!(!function.summary.is_empty(), "{}", function.name);
            }
        }
        assert!(find("strings.konkat").is_none());
        assert!(find("metrics.").is_none());
    }

    #[test]
    fn optional_parameters_come_last() {
        for function in FUNCTIONS {
            assert!(function.parameters.is_sorted_by_key(|parameter| parameter.optional), "{}", function.name);
        }
    }

    #[test]
    fn misspelt_names_have_neighbours() {
        assert_eq!(nearest("strings.conct"), Some("strings.concat"));
        assert_eq!(nearest("string.to_lower"), Some("strings.to_lower"));
        assert_eq!(nearest("concat"), Some("strings.concat"));
        assert_eq!(nearest("metrics.dns_bytes"), None);
        assert_eq!(nearest("frobnicate"), None);
    }

    #[test]
    fn signatures_read_well() {
        assert_eq!(find("strings.split").unwrap().signature(), "strings.split(text, [delimiter]) -> list of string");
        assert_eq!(find("strings.concat").unwrap().signature(), "strings.concat(value, ..) -> string");
        assert_eq!(find("max").unwrap().signature(), "max(value) -> the type of its argument");
    }

    #[test]
    fn results_follow_arguments_where_they_must() {
        let result = |name: &str, first| find(name).unwrap().result(first);
        assert_eq!(result("max", Type::Uint), Type::Uint);
        assert_eq!(result("array", Type::String), Type::List(Element::String));
        assert_eq!(result("array_distinct", Type::Timestamp), Type::List(Element::Any));
        assert_eq!(result("count", Type::String), Type::Int);
    }
}
