//! Any arguments: no function panics, and those that fit give what the catalogue says.

use proptest::prelude::*;
use watchbell_udm::schema::{FieldType, Schema};
use watchbell_yaral::{
    functions::{FUNCTIONS, Function, FunctionKind, Kind, metrics::METRIC_FUNCTIONS},
    types::{Element, Type},
};

use super::*;

#[test]
fn hostile_arguments_are_bounded() {
    let long = "a".repeat(700_000);
    assert_eq!(run("strings.concat", &[v!(long.as_str()), v!(long.as_str())]), Err(FunctionError::TooLarge));
    assert_eq!(run("re.replace", &[v!(long.as_str()), v!("a"), v!("xyz")]), Err(FunctionError::TooLarge));
    assert_eq!(run("strings.split", &[v!(long.as_str()), v!("")]), Err(FunctionError::TooLarge));
    // All matches of this pattern take the square of the text.
    let capitals = "A".repeat(200_000);
    assert_eq!(run("re.capture_all", &[v!(capitals), v!(".*[^A-Z]|[A-Z]")]), Err(FunctionError::TooLarge));
}

#[test]
fn arguments_are_counted() {
    let message = |name: &str, arguments: &[Value]| run(name, arguments).unwrap_err().to_string();
    assert_eq!(message("strings.split", &[]), "it takes 1 or 2 arguments, and 0 were given");
    assert_eq!(message("math.random", &[v!(1)]), "it takes no arguments, and 1 were given");
    assert_eq!(message("strings.concat", &[]), "it takes at least 1 argument, and 0 were given");
    assert!(matches!(run("group", &[v!(1)]), Err(FunctionError::NotHere(_))), "F51");
    assert!(matches!(run("metrics.dns_queries_total", &[v!(1)]), Err(FunctionError::NotHere(_))));
    assert_eq!(run("count", &[v!(1)]), Err(FunctionError::NoAggregate));
}

#[test]
fn every_function_that_can_be_computed_is() {
    for function in FUNCTIONS.iter().filter(|function| function.offline().is_ok()) {
        let aggregated = functions::aggregate(function, [[]] as [[Value; 0]; 1]);
        let called = functions::call(function, &[], &environment());
        let missing = Err(FunctionError::NoAggregate);
        assert!(aggregated != missing || called != missing, "{}", function.name);
    }
}

/// A value of any type; some that functions can read.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-3_i64..100).prop_map(Value::Int),
        any::<u64>().prop_map(Value::Uint),
        any::<f64>().prop_map(Value::Float),
        any::<String>().prop_map(Value::from),
        "[-+%\\\\()\\[\\]{}a-z0-9:/.@ ]{0,12}".prop_map(Value::from),
        Just(Value::from("2024-02-22 10:43:00")),
        Just(Value::from("1.2.3.4")),
        any::<Vec<u8>>().prop_map(|bytes| Value::Bytes(bytes.into())),
        any::<(i64, i32)>().prop_map(|(seconds, nanos)| Value::Timestamp(seconds, nanos)),
        any::<i32>().prop_map(event_type),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop::collection::vec(inner, 0..4).prop_map(|items| Value::List(items.into()))
    })
}

fn event_type(number: i32) -> Value {
    let field = Schema::published().message("Metadata").unwrap().field("event_type").unwrap();
    let FieldType::Enum(id) = field.kind else { panic!("no enum") };
    Value::Enum(id, number)
}

/// Every function; of the metrics, which are alike, one.
fn all() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().chain(METRIC_FUNCTIONS.first())
}

/// An argument that the parameter takes.
fn sample(function: &Function, position: usize, texts: &[String], number: i64) -> Value {
    let parameter = function.parameter(position).unwrap();
    match parameter.types.first() {
        Some(Kind::String | Kind::Regex) if function.name.starts_with("net.") => v!("10.0.0.1"),
        Some(Kind::String | Kind::Regex) if parameter.name == "zone" => v!("UTC"),
        None | Some(Kind::String | Kind::Regex) => v!(texts[position % texts.len()].as_str()),
        Some(Kind::Int | Kind::Number) => Value::Int(number),
        Some(Kind::Bool) => Value::Bool(number % 2 == 0),
        Some(Kind::Bytes) => bytes(texts[0].as_bytes()),
        Some(Kind::Timestamp) => Value::Timestamp(number, 0),
        Some(Kind::List) => Value::from(texts.iter().map(String::as_str).collect::<Vec<_>>()),
    }
}

/// Whether a result has the type that the catalogue names.
fn fits(function: &Function, value: &Value, arguments: &[Value]) -> bool {
    let expected = function.result(arguments.first().map_or(Type::Any, Value::kind));
    match (expected, value.kind()) {
        (Type::List(_), Type::List(Element::Any)) | (Type::List(Element::Any), Type::List(_)) => true,
        (expected, found) => expected == found,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn none_makes_a_function_panic(arguments in prop::collection::vec(value(), 0..5)) {
        let environment = environment();
        for function in all() {
            if let Err(error) = functions::call(function, &arguments, &environment) {
                prop_assert!(!error.to_string().contains('\n'), "{}", error);
            }
            let _ = functions::aggregate(function, [&arguments[..], &arguments[..]]);
        }
    }

    #[test]
    fn comparison_goes_both_ways(left in value(), right in value()) {
        prop_assert_eq!(left.compare(&right).map(std::cmp::Ordering::reverse), right.compare(&left));
        // Neither is equal to itself in all ways: points in time are compared with numbers by seconds, NaN with nothing.
        let written = format!("{left:?}{right:?}");
        let excused = written.contains("Timestamp") || written.contains("NaN");
        prop_assert!(excused || (left.key() == right.key()) == left.equals(&right));
    }

    #[test]
    fn those_of_the_right_types_are_taken(texts in prop::collection::vec("[a-z0-9.]{0,8}", 3), number in 0_i64..1000) {
        let environment = environment();
        for function in all().filter(|function| function.offline().is_ok() && function.kind != FunctionKind::Aggregate) {
            for count in function.required()..=function.most().unwrap_or(3) {
                let arguments: Vec<_> = (0..count).map(|position| sample(function, position, &texts, number)).collect();
                match functions::call(function, &arguments, &environment) {
                    Ok(value) => prop_assert!(fits(function, &value, &arguments), "{} {:?}", function.name, value),
                    Err(FunctionError::Unreadable { .. } | FunctionError::Argument { expected: "a number above 0", .. }) => {}
                    Err(error) => prop_assert!(false, "{} {:?}: {}", function.name, arguments, error),
                }
            }
        }
    }
}
