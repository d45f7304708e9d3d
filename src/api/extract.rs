//! Requests into types. Whatever does not fit is a [`Problem`] that says where and what was expected.

use std::{
    fmt::{self, Display},
    marker::PhantomData,
};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE, request::Parts},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_path_to_error::Segment;

use super::{
    body::{self, Limits},
    problem::{Place, Problem},
};

/// A command's JSON body.
#[derive(Debug)]
pub(super) struct Given<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Given<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let is_json = media_type(request.headers()).is_some_and(|kind| kind == "application/json");
        if !is_json {
            return Err(unsupported("application/json"));
        }
        json(&bytes(request).await?).map(Self)
    }
}

/// The same, where nothing stands for the default.
#[derive(Debug)]
pub(super) struct MaybeGiven<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned + Default> FromRequest<S> for MaybeGiven<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let kind = media_type(request.headers());
        let bytes = bytes(request).await?;
        match kind.as_deref() {
            None if bytes.is_empty() => Ok(Self(T::default())),
            Some("application/json") => json(&bytes).map(Self),
            _ => Err(unsupported("application/json")),
        }
    }
}

async fn bytes(request: Request) -> Result<Bytes, Problem> {
    let limits = *request.extensions().get::<Limits>().expect("the frame gives every request its limits");
    body::command(request.into_body(), limits).await
}

/// The media type without its parameters, in small letters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let whole = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// The body is of a type that this route does not take.
pub(super) fn unsupported(expected: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("expected a body with the Content-Type {expected}"))
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let Object(value) = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| json_problem(&pointer(error.path()), error.inner()))?;
    deserializer.end().map_err(|error| json_problem("", &error))?;
    Ok(value)
}

/// An object of JSON. What is derived for a struct takes a list of its members too, which nobody means.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// JSON that can't be read is 400, JSON that says what can't be is 422.
pub(super) fn json_problem(pointer: &str, error: &serde_json::Error) -> Problem {
    if error.is_data() {
        return Problem::unprocessable(vec![Place::at(pointer, without_place(error))]);
    }
    Problem::new(StatusCode::BAD_REQUEST, format!("expected JSON: {error}"))
}

/// The message without line and column, which a pointer says better.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } | Segment::Enum { variant: key } => pointer.push_str(&Place::pointer_to(key)),
            Segment::Unknown => {}
        }
    }
    pointer
}

/// A text of the path.
#[derive(Debug)]
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let unreadable = || Problem::new(StatusCode::BAD_REQUEST, "expected UTF-8 in the path");
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| unreadable())?;
        Ok(Self(text))
    }
}

/// The parameters of the query, taken out one by one; what is left at the end is unknown.
#[derive(Debug)]
pub(super) struct Parameters {
    left: Vec<(String, String)>,
    wrong: Vec<Place>,
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Self::of(parts.uri.query().unwrap_or_default()))
    }
}

impl Parameters {
    fn of(query: &str) -> Self {
        Self { left: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(), wrong: Vec::new() }
    }

    /// Every value of a parameter.
    pub(super) fn all<T, E: Display>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, E>) -> Vec<T> {
        let (named, left) = std::mem::take(&mut self.left).into_iter().partition(|(given, _)| given == name);
        self.left = left;
        let named: Vec<(String, String)> = named;
        let mut values = Vec::new();
        for (_, text) in named {
            match parse(&text) {
                Ok(value) => values.push(value),
                Err(error) => self.wrong.push(Place::parameter(name, error.to_string())),
            }
        }
        values
    }

    /// The value of a parameter that may stand once.
    pub(super) fn one<T, E: Display>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        if self.left.iter().filter(|(given, _)| given == name).count() > 1 {
            self.wrong.push(Place::parameter(name, "expected it once"));
        }
        self.all(name, parse).pop()
    }

    /// Everything was taken and was right.
    pub(super) fn done(mut self) -> Result<(), Problem> {
        let unknown = |(name, _): (String, String)| Place::parameter(name, "there is no such parameter here");
        self.wrong.extend(self.left.into_iter().map(unknown));
        if self.wrong.is_empty() { Ok(()) } else { Err(Problem::unprocessable(self.wrong)) }
    }
}

/// The query of a route that has no parameters. To be taken before the body: what is wrong with the address is told first.
#[derive(Debug)]
pub(super) struct NoParameters;

impl<S: Sync> FromRequestParts<S> for NoParameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Parameters::of(parts.uri.query().unwrap_or_default()).done().map(|()| Self)
    }
}

/// `true` or `false`.
pub(super) fn truth(text: &str) -> Result<bool, &'static str> {
    text.parse().map_err(|_| "expected true or false")
}

/// A text of 1 to `LONGEST` letters.
pub(super) fn short<const LONGEST: usize>(text: &str) -> Result<String, String> {
    let is_short = (1..=LONGEST).contains(&text.chars().count());
    is_short.then(|| text.to_owned()).ok_or_else(|| format!("expected 1 to {LONGEST} letters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default)]
        _names: Vec<String>,
        #[serde(default)]
        _about: Option<Object<About>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct About {
        _value: u8,
    }

    fn wrong(text: &str) -> (u16, Option<String>) {
        let problem = json::<Body>(text.as_bytes()).unwrap_err();
        (problem.status, problem.errors.first().and_then(|place| place.pointer.clone()))
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        assert_eq!(wrong(r#"{"_names": ["a", 7]}"#), (422, Some("/_names/1".to_owned())));
        assert_eq!(wrong(r#"{"_about": {"_value": 300}}"#), (422, Some("/_about/_value".to_owned())));
        assert_eq!(wrong(r#"{"_about": {"x/y": 1}}"#), (422, Some("/_about/x~1y".to_owned())));
        assert_eq!(wrong("[]"), (422, Some(String::new())));
        assert_eq!(wrong("[[], null]"), (422, Some(String::new())));
        assert_eq!(wrong(r#"{"_about": [3]}"#), (422, Some("/_about".to_owned())));
        assert_eq!(wrong(r#"{"_names": "#), (400, None));
        assert_eq!(wrong("{} {}"), (400, None));
        let told = json::<Body>(b"{\n  \"_names\": oops }").unwrap_err().detail.unwrap();
        assert!(told.contains("line 2 column 13"), "{told}");
    }

    #[test]
    fn parameters_are_known_right_and_not_too_many() {
        let mut parameters = Parameters::of("kind=a&kind=b&limit=x&once=1&once=2&odd=%20");
        assert_eq!(parameters.all("kind", |text| Ok::<_, String>(text.to_owned())), ["a", "b"]);
        assert_eq!(parameters.one("limit", str::parse::<u8>), None);
        parameters.one("once", str::parse::<u8>);
        let places = parameters.done().unwrap_err().errors;
        let names: Vec<_> = places.iter().map(|place| place.parameter.as_deref().unwrap()).collect();
        assert_eq!(names, ["limit", "once", "odd"]);
    }
}
