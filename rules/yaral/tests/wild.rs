//! Odd but valid: what rules in the wild do that a grammar or a check written from a manual alone tends to refuse.
//!
//! Every rule here must pass without an error; each says why it is one. What is wrong with rules stands in other files.

use watchbell_yaral::{check, parse};

/// What is told of a rule that should pass, without what merely advises.
fn errors(rule: &str) -> Vec<String> {
    let parsed = parse(rule);
    let checked = check(&parsed.file);
    let all = parsed.diagnostics.iter().chain(&checked.diagnostics);
    all.filter(|told| told.is_error())
        .map(|told| format!("{}: {} at `{}`", told.code.name(), told.message, told.span.of(rule)))
        .collect()
}

#[track_caller]
fn passes(rule: &str) {
    assert_eq!(errors(rule), Vec::<String>::new(), "{rule}");
}

/// A rule about one event with these statements.
#[track_caller]
fn events_pass(statements: &str) {
    passes(&format!("rule t {{\n meta:\n events:\n{statements}\n condition:\n $e\n}}"));
}

/// A rule that groups the events `$e` by `$h`, with these lines as its outcome.
#[track_caller]
fn outcome_passes(lines: &str) {
    passes(&format!(
        "rule t {{ meta: events: $e.metadata.event_type = \"USER_LOGIN\" $e.principal.hostname = $h \
         match: $h over 5m\n outcome:\n{lines}\n condition: $e }}"
    ));
}

mod spelling {
    use super::*;

    /// Keywords are keywords only where one can stand: the data model, tables and meta use the same words.
    #[test]
    fn keywords_are_names_elsewhere() {
        events_pass("$e.network.dhcp.options.code = 12");
        events_pass("$e.principal.hostname in %rule or $e.principal.hostname in %watch.match");
        events_pass("$e.principal.ip in cidr %nets.over");
        passes(
            "rule events { meta: rule = \"a\" condition = \"b\" match = \"c\" events = \"d\" in = \"e\" any = \"f\" \
             events: $e.principal.hostname = \"x\" condition: $e }",
        );
        // Words of searches are ordinary names in rules.
        events_pass("$order = $e.principal.hostname $limit = $e.src.hostname $stage = $e.target.hostname");
    }

    /// Any case, functions and section names too.
    #[test]
    fn case_does_not_matter_for_keywords() {
        passes(
            "RULE t { META: author = \"x\" EVENTS: $e.principal.hostname = \"a\" OR $e.principal.hostname = \"b\" NOCASE \
             NOT $e.principal.ip IN CIDR %l ANY $e.principal.ip = \"10.0.0.1\" $e.principal.hostname = $h \
             MATCH: $h OVER 5m OUTCOME: $x = COUNT($e.metadata.id) CONDITION: $e AND $x > 1 \
             OPTIONS: allow_zero_values = TRUE }",
        );
    }

    /// White space carries no meaning, so there may be none, and a comment may stand for it.
    #[test]
    fn blanks_and_comments_are_the_same() {
        passes("rule t{meta:events:$e.principal.hostname=\"x\" condition:$e}");
        passes(
            "/*1*/rule/*2*/t/*3*/{/*4*/meta/*5*/:/*6*/a/*7*/=/*8*/\"i\"/*9*/events/*10*/:/*11*/\
             $e.principal.hostname/*12*/=/*13*/\"o\"/*14*/nocase/*15*/condition/*16*/:/*17*/$e/*18*/}/*19*/",
        );
        passes(
            "\u{feff}rule t {\r\n\tmeta:\r\n\tevents:\r\n\t\tnot\r\n\t\t( // why\r\n\t\t\t$e.principal.ip = \"10.0.0.1\"\r\n\t\t)\
             \r\n\tcondition:\r\n\t\t$e // and $more\r\n}",
        );
        // A space before the parenthesis of a call, no space after a pattern, the end on the last line.
        outcome_passes("$x = max( if ( $h = \"a\" , 10) + if ($h = /b/nocase, 5) ) $y = array_distinct ($h)");
        passes("rule t { meta: events: $e.target.port = 1\n condition:\n $e }\n\n// the end");
    }

    /// `or` and `and` may stand on lines of their own, between comments: they still join what is around them.
    #[test]
    fn operators_may_stand_alone() {
        events_pass(
            "(\n $e.metadata.event_type = \"FILE_COPY\" or\n $e.metadata.event_type = \"FILE_MOVE\"\n)\n\
             // optional here\nand\n$e.target.file.full_path = /\\.lnk$/ nocase and\n// more\n\
             $e.principal.hostname != \"\"\nnot ($e.src.hostname = \"x\")",
        );
        events_pass(
            "(\n $e.principal.hostname = \"a\"\n)\n\n or\n\n /* or */\n(\n $e.principal.hostname = \"b\" and\n // inner\n\
             $e.src.hostname = \"c\"\n)",
        );
    }

    /// Behind an operator `/` opens a pattern, behind an operand it divides; a comment may follow both.
    #[test]
    fn slashes_are_told_apart() {
        events_pass(
            "$e.principal.user.userid = /\\/i-.*$/ //tail\n$e.target.url != /[\\/]/ // /\n$e.src.hostname = /\\\\/",
        );
        events_pass("$m = $e.metadata.event_timestamp.seconds / 60 / 60 // hours\n$m > 4");
    }

    /// `%` takes a remainder behind an operand on its line, and names a table where a statement begins.
    #[test]
    fn percent_signs_are_told_apart() {
        passes(
            "rule t { meta: events: $e.principal.user.userid = $u\n // a row of it\n%staff.uid = $u\n\
             $e.principal.port % 2 = 1\n match: $u over 1h condition: $e }",
        );
        events_pass("$e.principal.process.command_line = \"%%1793\" or $e.target.url = \"%COMSPEC%\"");
    }

    /// A column of a table may be named like a section; inside of the parentheses no section can begin.
    #[test]
    fn exported_columns_may_be_named_like_sections() {
        passes(
            "rule t { meta: events: $h = $e.principal.hostname outcome: $n = $h condition: $e \
             export: %seen.write_row(events: $n, match: $n) }",
        );
        passes(
            "rule t {\n meta:\n events:\n $h = $e.principal.hostname\n outcome:\n $n = $h\n condition:\n $e\n export:\n\
             %seen.write_row(\n outcome: $n,\n condition: $n\n )\n}",
        );
    }
}

/// The parts of a rule about several records: `events`, `match`, what stands between, `condition`.
#[track_caller]
fn joined_passes(events: &str, window: &str, condition: &str) {
    passes(&format!("rule t {{ meta: events: {events} match: {window} condition: {condition} }}"));
}

mod joins {
    use super::*;

    /// An equality of functions joins as one of fields does, whichever placeholder or side it is on.
    #[test]
    fn functions_join() {
        joined_passes(
            "$a.metadata.event_type = \"USER_LOGIN\" strings.to_lower($a.target.user.userid) = $u \
             strings.to_lower($g.graph.entity.user.userid) = $u",
            "$u over 1h",
            "$a and $g",
        );
        joined_passes(
            "strings.to_lower($a.principal.hostname) = strings.to_lower($b.target.hostname) $a.principal.user.userid = $u",
            "$u over 1h",
            "$a and $b",
        );
        joined_passes(
            "$a.additional.fields[\"id\"] = $b.additional.fields[\"id\"] $a.principal.user.userid = $u",
            "$u over 1h",
            "$a and $b",
        );
    }

    /// A placeholder that is bound in parentheses is bound, and a third record may join two others.
    #[test]
    fn joins_go_through_groups_and_others() {
        joined_passes(
            "($a.metadata.event_type = \"USER_LOGIN\" and $a.principal.hostname = $h) \
             ($b.metadata.event_type = \"USER_LOGOUT\" and $b.principal.hostname = $h)",
            "$h over 1h",
            "$a and $b",
        );
        joined_passes(
            "$a.principal.hostname = $b.principal.hostname nocase $b.principal.ip = $c.principal.ip \
             $c.principal.user.userid = $u",
            "$u over 1h",
            "$a and $b and $c",
        );
    }

    /// Fields of two events may be compared by order and with sums, once something else joins them.
    #[test]
    fn times_of_two_events_are_compared() {
        joined_passes(
            "$a.principal.hostname = $h $b.principal.hostname = $h \
             $a.metadata.event_timestamp.seconds + 60 < $b.metadata.event_timestamp.seconds \
             300 > $b.metadata.event_timestamp.seconds - $a.metadata.event_timestamp.seconds \
             $a.principal.ip != $b.principal.ip",
            "$h over 1h",
            "$a and $b",
        );
    }

    /// An `or` of equalities joins if each of them does; a function may choose the field that binds.
    #[test]
    fn either_field_may_join() {
        joined_passes(
            "$e.principal.hostname = $h ($f.principal.hostname = $h or $f.target.hostname = $h)",
            "$h over 5m",
            "$e and $f",
        );
        joined_passes(
            "$h = strings.coalesce($e.principal.hostname, $e.target.hostname) $h != \"\"",
            "$h over 5m",
            "$e",
        );
        joined_passes("$h = if($e.target.ip != \"\", $e.target.ip, \"none\")", "$h over 5m", "$e");
    }

    /// Rows of a table are joined by equality, and then by anything else that compares.
    #[test]
    fn tables_join() {
        joined_passes(
            "$e.principal.user.userid = %staff.uid $e.metadata.event_timestamp.seconds > %staff.since \
             re.regex($e.target.hostname, %staff.pattern) net.ip_in_range_cidr($e.principal.ip, %staff.net) \
             %staff.state = \"active\" $e.principal.user.userid = $u",
            "$u over 1h",
            "$e",
        );
        joined_passes(
            "$e.principal.hostname = $h $g.graph.entity.hostname = $h $g.graph.entity.hostname = %t.host",
            "$h over 1h",
            "$e and $g",
        );
    }
}

mod conditions {
    use super::*;

    const TWO: &str = "$a.principal.hostname = $h $b.principal.hostname = $h $a.principal.ip = $i";

    /// A count of a placeholder asks for the event it is bound to, so the event need not be named.
    #[test]
    fn placeholders_stand_for_their_events() {
        joined_passes("$a.principal.hostname = $h $a.principal.ip = $i", "$h over 1h", "#i > 3");
        joined_passes("$a.principal.hostname = $h $a.principal.ip = $i", "$h over 1h", "#a > 5 or #i > 3");
        joined_passes(TWO, "$h over 1h", "$i and $b");
    }

    /// One event must be there; the others may be absent, however that is written.
    #[test]
    fn absence_is_spelt_in_many_ways() {
        for absent in ["!$b", "#b = 0", "#b < 3", "#b <= 2", "#b >= 0"] {
            joined_passes(TWO, "$h over 1h", &format!("$a and {absent}"));
            joined_passes(TWO, "$h over 1h", &format!("(({absent}) and ($a))"));
        }
        joined_passes("$a.principal.hostname = $h $g.graph.entity.hostname = $h", "$h over 1h", "$a and !$g");
    }

    /// The event around which the window lies may be asked for by its count, and may be a detection.
    #[test]
    fn pivots_are_asked_for_by_count_too() {
        joined_passes(TWO, "$h over 1h after $a", "#a > 0 and $b");
        joined_passes(TWO, "$h over 1h before $b", "#a > 4 and #b >= 1");
        joined_passes(
            "$d.detection.detection.rule_name = \"x\" $h = $d.detection.detection.outcomes[\"h\"] \
             $e.principal.hostname = $h",
            "$h over 1h after $d",
            "$d and $e",
        );
    }

    /// Counts may be bounded on both sides; numbers of outcome may be summed, divided and joined by `or`.
    #[test]
    fn outcome_variables_are_compared() {
        joined_passes("$a.principal.hostname = $h", "$h over 5m", "#a > 2 and #a < 10");
        for condition in [
            "$e and ($n > 5 or $p = 22)",
            "$e and $n + 1 > 3 and $p / 2 > 1",
            "$e and not $n = 8",
            "$e and arrays.contains($l, \"10.0.0.1\") and $t != \"few\"",
            "#e > 3 and ($n > 10) and $p >= 100",
        ] {
            passes(&format!(
                "rule t {{ meta: events: $e.principal.hostname = $h match: $h over 1h outcome: \
                 $n = count_distinct($e.principal.ip) $p = max($e.target.port) $l = array_distinct($e.principal.ip) \
                 $t = if($n > 5, \"many\", \"few\") condition: {condition} }}"
            ));
        }
    }
}

mod outcomes {
    use super::*;

    /// What was aggregated is one value: it may be reckoned with, put into texts and asked about.
    #[test]
    fn aggregates_are_values() {
        outcome_passes(
            "$s = sum($e.network.sent_bytes) $r = sum($e.network.received_bytes) $q = $s / $r \
             $risk_score = if($q > 2.5, 80, 20) + if($s > 1000000, 10) $m = max($e.target.port) - min($e.target.port) \
             $k = count($e.metadata.id) * 2 - 1",
        );
        outcome_passes(
            "$n = count($e.metadata.id) $t = strings.concat(\"seen \", $n, \" times\") $l = array_distinct($e.principal.ip) \
             $j = arrays.join_string($l, \",\") $f = arrays.index_to_str($l, 0) \
             $b = if($n > 10, \"high\", if($n > 5, \"mid\", \"low\")) $c = if($b = \"high\", $n, 0) \
             $x = timestamp.get_timestamp(min($e.metadata.event_timestamp.seconds))",
        );
    }

    /// Functions, questions and sums may stand inside of an aggregate, texts and numbers too.
    #[test]
    fn aggregates_take_anything_of_a_row() {
        outcome_passes(
            "$a = array_distinct(strings.to_lower($e.target.hostname)) \
             $b = count_distinct(re.capture($e.target.url, `//([^/]+)`)) \
             $c = max(if($e.principal.ip in %ips, 5) + if($e.principal.ip in cidr %nets and not $e.principal.hostname = /x/, 10, 3)) \
             $d = sum(if($e.security_result.action = \"BLOCK\" or $e.metadata.vendor_name in %v nocase, 1, 0)) \
             $f = earliest($e.metadata.event_timestamp) $g = sum(5.0 * $e.network.sent_bytes) \
             $i = array_distinct(\"T1078\") $j = max(5) $k = count(if($e.principal.hostname = \"x\", $e.metadata.id))",
        );
    }

    /// A rule about one event needs no aggregates, save for lists.
    #[test]
    fn one_event_is_its_own_row() {
        passes(
            "rule t { meta: events: $e.metadata.event_type = \"USER_LOGIN\" $h = $e.principal.hostname outcome: \
             $a = $e.principal.hostname $b = strings.concat($e.principal.hostname, \":\", $e.principal.port) \
             $c = if($h = \"x\", $h, \"y\") $d = $e.network.sent_bytes $f = re.capture_all($e.target.url, `a+`) \
             $g = array($e.principal.ip) $risk_score = if($a = \"x\", 10, 20) condition: $e and $risk_score > 10 }",
        );
    }

    /// A metric may lack a match, fix a dimension to a text, and be part of a sum.
    #[test]
    fn metrics_are_numbers() {
        passes(
            "rule t { meta: events: $e.metadata.event_type = \"USER_LOGIN\" $u = $e.target.user.userid outcome: \
             $f = metrics.auth_attempts_total(period:1d, window:30d, metric:first_seen, agg:min, target.user.userid:$u) \
             condition: $e and $f = 0 }",
        );
        passes(
            "rule t { meta: events: $e.metadata.event_type = \"NETWORK_CONNECTION\" $h = $e.principal.asset.hostname \
             match: $h over 1h outcome: $m = max(metrics.network_bytes_outbound(period: 1d, window: 30d, \
             metric: value_sum, agg: max, principal.asset.hostname: $h, principal.namespace: \"corp\")) \
             $n = sum($e.network.sent_bytes) $z = ($n - $m) / ($m + 1.0) condition: $e and $z > 3.0 }",
        );
    }
}

mod values {
    use super::*;

    /// Labels are read by their key or as two fields, and maps by their key, with the prefix `udm` or without.
    #[test]
    fn labels_are_maps_and_fields() {
        events_pass(
            "$e.metadata.ingestion_labels[\"a\"] = \"b\" $e.target.resource.attribute.labels[\"c\"] = /d/\n\
             $e.security_result.detection_fields[\"e\"] != \"\" $e.udm.additional.fields[\"f\"] = \"g\"\n\
             $e.security_result.detection_fields.key = \"h\" $e.target.user.attribute.labels.value = \"i\"",
        );
    }

    /// Any and all may stand inside of a call, and before enums.
    #[test]
    fn any_and_all_stand_before_fields() {
        events_pass(
            "re.regex(any $e.principal.ip, `^10\\.`) net.ip_in_range_cidr(all $e.target.ip, \"10.0.0.0/8\")\n\
             all $e.security_result.action != \"BLOCK\" any $e.security_result.category = \"SOFTWARE_MALICIOUS\"",
        );
    }

    /// Enums are texts to functions and placeholders; functions that say yes or no may be compared with it.
    #[test]
    fn types_mix_where_pages_mix_them() {
        events_pass(
            "$t = $e.metadata.event_type $t = \"USER_LOGIN\"\n\
             strings.concat($e.metadata.event_type, \"/\", $e.target.port, 1.5) != \"\"\n\
             strings.contains($e.principal.hostname, \"x\") = true true = strings.ends_with($e.target.hostname, \"y\")\n\
             $e.network.tls.established = false $e.network.http.response_code >= 400\n\
             $e.target.file.size > 500*1024*1024 math.log($e.network.sent_bytes) > 20",
        );
        events_pass("/abc/ = $e.principal.hostname \"x\" = $e.target.hostname nocase 5 < $e.target.port");
    }

    /// Paths of entities, detections and of what lies around them.
    #[test]
    fn other_sources_have_their_paths() {
        joined_passes(
            "$e.principal.user.userid = $u $g.graph.entity.user.userid = $u \
             $g.graph.metadata.interval.start_time.seconds > 0 $g.graph.metadata.source_type = \"DERIVED_CONTEXT\" \
             $g.graph.relations.entity.group.group_display_name = \"x\" $g.graph.additional.fields[\"k\"] = \"v\" \
             $g.graph.entity.user.managers.email_addresses != \"\" $g.graph.metadata.threat.severity = \"HIGH\"",
            "$u over 1h",
            "$e and $g",
        );
        joined_passes(
            "$d.detection.detection.rule_id = \"ru_1\" $d.detection.detection.variables[\"n\"].int64_val > 3 \
             $h = $d.detection.detection.variables[\"h\"].string_val $d.detection.detection.severity = \"HIGH\" \
             any $d.detection.collection_elements.references.event.principal.ip = \"10.0.0.1\" \
             $d.detection.time_window.start_time.seconds < $d.detection.time_window.end_time.seconds",
            "$h over 48h",
            "#d >= 3",
        );
    }

    /// Patterns of RE2 that other dialects refuse: bare braces, hyphens behind classes, needless escapes.
    #[test]
    fn patterns_are_read_as_re2_reads_them() {
        for pattern in [
            r"${IFS}",
            "{100e121",
            "[^\\ |^\"]*",
            "E34B}$",
            r"[\w-.]+@[\w-]+",
            r"[\s-_]",
            "[[:alpha:]-z]",
            "a{,3}",
            "[]a]",
            r"\%\@\'\;\!",
            "(?i)a(?-i)b",
            "(?P<n>a)|(?:b)",
            r"\Qa.b\E",
            r"\x{41}\pL\p{Greek}",
            "x*?y+?z??",
        ] {
            events_pass(&format!("$e.principal.hostname = /{}/ nocase", pattern.replace('/', "\\/")));
            events_pass(&format!("re.regex($e.principal.hostname, `{pattern}`)"));
        }
    }
}

#[test]
fn a_slash_in_the_brackets_of_a_pattern_is_explained() {
    let text = "rule t {\nmeta:\nevents:\n$e.principal.hostname = /[^/]+$/\ncondition: $e\n}";
    let told = parse(text).diagnostics;
    assert!(told[0].help.iter().any(|help| help.contains("`\\/`")), "{told:#?}");
}
