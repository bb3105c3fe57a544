"use strict";

// The overview's chart: one bar for each of the largest customers.
const chart = document.getElementById("chart");
if (chart) {
  const data = JSON.parse(document.getElementById("chart-data").textContent);
  const largest = Math.max(1, ...data.buyers.map((buyer) => buyer.amount));
  const money = new Intl.NumberFormat("sv-SE", { maximumFractionDigits: 0 });
  for (const buyer of data.buyers) {
    const row = chart.appendChild(document.createElement("div"));
    row.className = "bar-row";
    const name = row.appendChild(document.createElement("bdi"));
    name.textContent = buyer.name;
    const bar = row.appendChild(document.createElement("progress"));
    bar.max = largest;
    bar.value = buyer.amount;
    bar.setAttribute("aria-hidden", "true"); // the amount beside it says the same
    const amount = row.appendChild(document.createElement("span"));
    amount.textContent = `${money.format(buyer.amount / 100)} ${data.currency}`;
  }
}

// Ctrl+Enter in a note saves it without waiting for a new page.
const form = document.getElementById("note-form");
if (form) {
  form.addEventListener("keydown", async (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const body = form.elements.body;
    if (!body.value.trim()) return;
    const answer = await fetch("/api/notes", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-CSRF-Token": form.elements.csrf_token.value,
      },
      body: JSON.stringify({ invoice: Number(form.dataset.invoice), body: body.value }),
    });
    if (answer.ok) location.reload();
    else form.requestSubmit();
  });
}
