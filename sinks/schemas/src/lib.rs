//! A [`watchbell_sink::Finding`] in the words of others. Pure: same finding, same bytes.
