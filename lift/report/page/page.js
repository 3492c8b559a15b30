// What is wider than its place says so; page.css shows it.
const scrollers = document.querySelectorAll(".scroll");
const mark = () => { for (const part of scrollers) part.classList.toggle("wide", part.scrollWidth > part.clientWidth + 1); };
addEventListener("load", mark);
addEventListener("resize", mark);

// Sorting: a click on a column's head orders the rows by value; a second click turns the order round.
for (const button of document.querySelectorAll("thead button")) {
  button.addEventListener("click", () => {
    const head = button.parentElement;
    const body = head.closest("table").tBodies[0];
    const column = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending";
    const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      const [nx, ny] = [Number(x), Number(y)];
      if (Number.isNaN(nx) !== Number.isNaN(ny)) return Number.isNaN(nx) ? 1 : -1; // text such as "missing" goes last
      const order = Number.isNaN(nx) ? x.localeCompare(y) : nx - ny;
      return down ? -order : order;
    };
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...[...body.rows].sort(compare));
  });
}
