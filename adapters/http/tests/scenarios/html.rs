//! As much of a browser's reading of HTML as our own pages need.

/// A form as a browser would send it.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Form {
    /// The form with this id on a page.
    pub(crate) fn on(html: &str, id: &str) -> Option<Self> {
        let wanted = format!("id=\"{id}\"");
        let (tag, after) = tags(html, "<form").find(|(tag, _)| tag.contains(&wanted))?;
        let (inside, _) = after.split_once("</form>")?;
        let mut fields = Vec::new();
        for (input, _) in tags(inside, "<input") {
            let box_left_alone = input.contains("type=\"checkbox\"") && !input.contains(" checked");
            if let Some(name) = attribute(input, "name")
                && !box_left_alone
            {
                fields.push((name, attribute(input, "value").unwrap_or_default()));
            }
        }
        for (select, after) in tags(inside, "<select") {
            let (options, _) = after.split_once("</select>")?;
            let chosen = tags(options, "<option").find(|(option, _)| option.contains(" selected"));
            let value = chosen.and_then(|(option, _)| attribute(option, "value"));
            fields.push((attribute(select, "name")?, value.unwrap_or_default()));
        }
        Some(Self {
            action: attribute(tag, "action")?,
            fields,
        })
    }

    /// Types into a field, whether it is on the page or not.
    pub(crate) fn fill(&mut self, name: &str, value: &str) {
        match self.fields.iter_mut().find(|(field, _)| field == name) {
            Some((_, filled)) => value.clone_into(filled),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(field, _)| field == name)?;
        Some(value)
    }
}

/// (the tag's inside, what follows it) of every tag that begins with `begin`.
pub(crate) fn tags<'h>(html: &'h str, begin: &'h str) -> impl Iterator<Item = (&'h str, &'h str)> {
    let mut rest = html;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(begin)?;
        let (tag, after) = after.split_once('>')?;
        rest = after;
        Some((tag, after))
    })
}

/// The value of an attribute of a tag.
pub(crate) fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, after) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = after.split_once('"')?;
    Some(unescape(value))
}

/// The text right after the tag with this id.
pub(crate) fn text_of(html: &str, id: &str) -> Option<String> {
    let (_, after) = html.split_once(&format!("id=\"{id}\""))?;
    let (_, after) = after.split_once('>')?;
    let (text, _) = after.split_once('<')?;
    Some(unescape(text.trim()))
}

/// The texts right after every `begin`.
pub(crate) fn texts_after(html: &str, begin: &str) -> Vec<String> {
    let mut parts = html.split(begin);
    parts.next();
    parts
        .map(|part| unescape(part.split('<').next().unwrap_or("").trim()))
        .collect()
}

pub(crate) fn unescape(text: &str) -> String {
    text.replace("&#x2f;", "/")
        .replace("&#x27;", "'")
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
