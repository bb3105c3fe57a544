// Finds sections by words, in the reader's browser. The index is a script, so that it also loads
// where the book is opened from a disk.
(() => {
  const MOST = 40;
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const stem = (word) => (word.length > 4 ? word.replace(/(?:ing|ed|es|s)$/, "") : word);
  const words = (text) => fold(text).match(/[\p{L}\p{N}_]+/gu) ?? [];
  const status = document.getElementById("search-status");
  const list = document.getElementById("search-results");

  function score(text, term) {
    let best = 0;
    for (const word of words(text)) {
      if (word === term) return 3;
      if (word.startsWith(stem(term))) best = Math.max(best, 2);
      else if (term.length > 3 && word.includes(term)) best = Math.max(best, 1);
    }
    return best;
  }

  function find(query) {
    const terms = [...new Set(words(query))];
    if (!terms.length) return [];
    const found = [];
    for (const row of self.labsSearchIndex) {
      const [, page, title, text] = row;
      let total = 0;
      const all = terms.every((term) => {
        const points = 6 * score(title, term) + 2 * score(page, term) + score(text, term);
        total += points;
        return points > 0;
      });
      if (all) found.push({ row, total });
    }
    return found.sort((a, b) => b.total - a.total).slice(0, MOST).map(({ row }) => row);
  }

  // The sentence around the first hit, with every hit marked.
  function excerpt(text, terms) {
    const p = document.createElement("p");
    const pieces = text.split(/([\p{L}\p{N}_]+)/u);
    const hit = (word) => terms.some((term) => fold(word).startsWith(stem(term)));
    const first = Math.max(0, pieces.findIndex((piece, i) => i % 2 && hit(piece)) - 20);
    if (first) p.append("… ");
    pieces.slice(first, first + 56).forEach((piece, i) => {
      if ((i + first) % 2 && hit(piece)) {
        const mark = document.createElement("mark");
        mark.textContent = piece;
        p.append(mark);
      } else p.append(piece);
    });
    if (first + 56 < pieces.length) p.append(" …");
    return p;
  }

  const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";
  for (const input of document.querySelectorAll("input[name=q]")) input.value = query;
  status.textContent = "";
  if (!query) return;
  if (!self.labsSearchIndex) {
    status.textContent = "The index of the book could not be loaded.";
    return;
  }
  const found = find(query);
  const number = found.length === MOST ? `the best ${MOST} sections` : `${found.length} ${found.length === 1 ? "section" : "sections"}`;
  status.textContent = found.length
    ? `Found ${number} for “${query}”.`
    : `Nothing was found for “${query}”. Try fewer or other words.`;
  document.title = `${query} · ${document.title}`;
  for (const [address, page, title, text] of found) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = address;
    link.textContent = title;
    item.append(link);
    if (page !== title) {
      const where = document.createElement("span");
      where.className = "where";
      where.textContent = page;
      item.append(" ", where);
    }
    item.append(excerpt(text, words(query)));
    list.append(item);
  }
})();
