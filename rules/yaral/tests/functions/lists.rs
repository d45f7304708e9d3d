//! Reference lists and data tables: their texts, what is in them, and where a text is wrong.

use watchbell_yaral::{
    lists::{Column, DataTable, ListKind, Members, ReferenceList},
    syntax::tree::ListForm,
};

use super::*;

fn listed(text: &str, form: ListForm, nocase: bool) -> Members {
    let kind = match form {
        ListForm::Plain => ListKind::String,
        ListForm::Regex => ListKind::Regex,
        ListForm::Cidr => ListKind::Cidr,
    };
    Members::of_list(&ReferenceList::read(kind, text).unwrap(), form, nocase).unwrap()
}

#[test]
fn values_are_looked_up_by_the_kind_of_the_list() {
    let has = |members: &Members, text: &str| members.has(&v!(text)).unwrap();
    let hosts = listed("Host1", ListForm::Plain, false);
    assert!(has(&hosts, "Host1") && !has(&hosts, "host1"), "T01");
    assert!(has(&listed("Host1", ListForm::Plain, true), "host1"), "T01");
    let web = listed("^web", ListForm::Regex, false);
    assert!(has(&web, "webserver") && !has(&web, "Webserver") && !has(&web, "a web"), "T02");
    assert!(has(&listed("^web", ListForm::Regex, true), "WEBserver"), "T02");
    let networks = listed("10.0.0.0/8\n2001:db8::/32", ListForm::Cidr, false);
    assert!(has(&networks, "10.2.3.4") && has(&networks, "2001:db8::1") && !has(&networks, "11.0.0.1"), "T02");
    assert!(!has(&networks, ""));
    let error = networks.has(&v!("host")).unwrap_err();
    assert_eq!(error.to_string(), "`host` is no IP address, which a list of networks is asked for");
    // Numbers are found by their text.
    assert!(listed("443", ListForm::Plain, false).has(&v!(443)).unwrap());
}

#[test]
fn comments_and_escapes() {
    let list = ReferenceList::parse(ListKind::String, "a/\\/b // note\n// all\n\nplain\r\n");
    assert_eq!(list.entries, ["a//b", "plain"], "T03");
    assert_eq!(ReferenceList::parse(ListKind::Regex, "^http://\n").entries, ["^http://"]);
    assert_eq!(ReferenceList::parse(ListKind::Cidr, "10.0.0.0/8 // inside").entries, ["10.0.0.0/8"]);
}

#[test]
fn a_wrong_entry_is_named_with_its_line() {
    let error = |kind, text| ReferenceList::read(kind, text).unwrap_err().to_string();
    let expected = "line 3, column 1: `10.0.0.0/99\\u{1b}` is no network such as 192.0.2.0/24";
    assert_eq!(error(ListKind::Cidr, "// inside\n10.0.0.0/8\n10.0.0.0/99\u{1b}"), expected);
    assert!(error(ListKind::Regex, "a\n(").starts_with("line 2, column 1: the pattern is not valid in RE2"));
}

#[test]
fn tables_have_kinds_and_cells_of_several_values() {
    let text = "user:string:key,ports:number:repeated,net:cidr,\"name\"\nalice, 80|443 ,10.0.0.0/8,\"Smith, \"\"A\"\"\"\n\nbob,22\n";
    let table = DataTable::from_csv(text).unwrap();
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["user", "ports", "net", "name"]);
    assert!(table.columns[0].key && table.columns[1].repeated);
    assert_eq!(table.cell(0, 3), "Smith, \"A\"");
    assert_eq!(table.entries(0, 1).collect::<Vec<_>>(), ["80", "443"]);
    assert_eq!((table.value(1, 1), table.cell(1, 2)), (v!(22), ""));
    let column = |name: &str| Members::of_column(&table, table.column(name).unwrap(), ListForm::Plain, false).unwrap();
    assert!(column("ports").has(&v!(443)).unwrap() && column("ports").has(&v!(80.0)).unwrap());
    assert!(!column("ports").has(&v!(8)).unwrap());
    // A column of networks need not be asked for them; bob's empty cell is none.
    assert!(column("net").has(&v!("10.1.1.1")).unwrap() && !column("net").has(&v!("11.1.1.1")).unwrap());
}

#[test]
fn a_wrong_table_is_named_with_line_and_column() {
    let wrong = [
        (
            "a,b\n1,2,3",
            "line 2, column 5: expected at most 2 cells, as the first line has; a cell with a comma stands in quotes",
        ),
        ("a,b:number\n1,2\n1,x", "line 3, column 3: `x` is no number"),
        ("a,a", "line 1, column 3: two columns are named `a`"),
        ("a,,b", "line 1, column 3: expected the name of a column"),
        (
            "a:text",
            "line 1, column 1: expected string, regex, cidr, number, repeated or key behind the name of a column, found `text`",
        ),
        ("a\n\"x", "line 2, column 1: expected a closing quote before the end of the line"),
    ];
    for (text, expected) in wrong {
        assert_eq!(DataTable::from_csv(text).unwrap_err().to_string(), expected);
    }
    assert!(DataTable::from_csv("a,b:regex\n1,(").is_err());
    assert_eq!(DataTable::from_csv("").unwrap(), DataTable::default());
}

#[test]
fn rows_with_one_key_replace_each_other() {
    let key = Column { key: true, ..Column::text("user") };
    let mut table = DataTable { columns: vec![key, Column::text("ip")], rows: Vec::new() };
    for (user, ip) in [("a", "1"), ("b", "1"), ("a", "2")] {
        table.write(&[("user".to_owned(), user.to_owned()), ("ip".to_owned(), ip.to_owned())]);
    }
    assert_eq!(table.rows, [["a", "2"], ["b", "1"]]);
}

#[test]
fn lists_of_patterns_are_bounded() {
    let many: String = (0..5_000).map(|number| format!("a{number}\n")).collect();
    let list = ReferenceList::parse(ListKind::Regex, &many);
    let error = Members::of_list(&list, ListForm::Regex, false).unwrap_err();
    assert_eq!(error.to_string(), "expected at most 1000 patterns, found 5000");
}
