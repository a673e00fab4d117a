"""What a test asks of a page: its elements, their texts and attributes."""

from html.parser import HTMLParser

VOID = {"meta", "link", "input", "img", "br", "wbr", "hr"}


class Document(HTMLParser):
    """Elements in their order; the text of an element includes that of its children."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)
        assert self.open == [], "an element is not closed"

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        element = {"tag": tag, "text": "", "inside": [e["tag"] for e in self.open], **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", "inside": [], **dict(attrs)})

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, **attributes):
        return [
            e
            for e in self.elements
            if e["tag"] == tag and all(e.get(name) == value for name, value in attributes.items())
        ]

    def links(self):
        """Every address that the page names, by attribute."""
        found = []
        for element in self.elements:
            for name in ("href", "src", "action", "poster", "data-events", "data-plotly"):
                if element.get(name) is not None:
                    found.append((element["tag"], name, element[name]))
        return found


class Table:
    """A table of a page as rows of texts."""

    def __init__(self, text, name):
        start = text.index(f'<table id="{name}"')
        part = Document(text[start : text.index("</table>", start) + len("</table>")])
        self.caption = part.all("caption")[0]["text"]
        self.titles = [e["text"].strip() for e in part.all("th", scope="col")]
        self.order = {e["text"].strip(): e["aria-sort"] for e in part.all("th") if "aria-sort" in e}
        self.rows, self.hrefs = [], {}
        for element in part.elements:
            if element["tag"] == "tr":
                self.rows.append([])
            elif element["tag"] in ("td", "th") and element.get("scope") != "col":
                self.rows[-1].append(" ".join(element["text"].split()))
            elif element["tag"] == "a" and self.rows and len(self.rows[-1]) == 1:
                self.hrefs[element["text"]] = element["href"]
        self.rows = [row for row in self.rows if row]

    def column(self, title):
        return [row[self.titles.index(title)] for row in self.rows]
