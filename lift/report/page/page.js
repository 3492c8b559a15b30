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

// The explorer: a clip, two of its frames over each other with a slider between them, and every method's frame and numbers.
const explorer = document.getElementById("explorer");
if (explorer) {
  const clips = JSON.parse(document.getElementById("clips").textContent);
  const at = (name) => explorer.querySelector(`[data-part="${name}"]`);
  const option = (value, label) => Object.assign(document.createElement("option"), { value, textContent: label });
  const source = (name) => `${current().folder}/${name}.webp`;
  const current = () => clips[Number(at("clip").value)];

  function fill(select, frames, wanted) {
    const before = select.value || wanted;
    select.replaceChildren(...Object.entries(frames).map(([name, label]) => option(name, label)));
    select.value = before in frames ? before : Object.keys(frames)[0];
  }

  function compare() {
    for (const side of ["left", "right"]) {
      const name = at(`${side}-method`).value;
      at(side).src = source(name);
      at(side).alt = `${current().frames[name]}, ${current().label}`;
    }
    slide();
  }

  function slide() {
    const share = at("slider").value;
    at("right").style.clipPath = `inset(0 0 0 ${share}%)`;
    at("edge").style.left = `${share}%`;
    at("slider").setAttribute("aria-valuetext", `${share} % ${at("left-method").value}, the rest ${at("right-method").value}`);
  }

  function card(name, label) {
    const figure = document.createElement("figure");
    const image = Object.assign(document.createElement("img"), { src: source(name), alt: label });
    const caption = document.createElement("figcaption");
    const numbers = Object.entries(current().numbers[name] ?? {});
    caption.append(Object.assign(document.createElement("b"), { textContent: label }));
    for (const [metric, value] of numbers) {
      caption.append(Object.assign(document.createElement("span"), { textContent: `${metric} ${value}` }));
    }
    figure.append(image, caption);
    return figure;
  }

  function choose() {
    const { frames, label } = current();
    fill(at("left-method"), frames, explorer.dataset.left);
    fill(at("right-method"), frames, explorer.dataset.right);
    at("name").textContent = label;
    at("cards").replaceChildren(...Object.entries(frames).map(([name, text]) => card(name, text)));
    compare();
  }

  at("clip").replaceChildren(...clips.map((clip, index) => option(index, `${clip.benchmark}: ${clip.label}`)));
  at("clip").addEventListener("change", choose);
  at("left-method").addEventListener("change", compare);
  at("right-method").addEventListener("change", compare);
  at("slider").addEventListener("input", slide);
  explorer.hidden = false;
  choose();
}
