"""Pictures: a map of words in two dimensions, as an image or as a page to explore, and the course of the loss."""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from .. import files
from ..errors import DataError, MissingExtraError, UsageError
from ..text.plots import drawing
from .model import WordVectors

METHODS = ("auto", "tsne", "pca")
_LARGEST_MAP = 5_000


def word_map(
    model: WordVectors, words: Sequence[str] | None = None, *, top: int = 500, method: str = "auto", seed: int = 0
) -> tuple[list[str], np.ndarray]:
    """Places of words in the plane, float64 (n, 2): near where their vectors point the same way.

    Args:
        words: which; the `top` most frequent ones if not given.
        method: "tsne" (van der Maaten & Hinton 2008) for neighbourhoods, "pca" for the two widest directions, or
            "auto": the former where scikit-learn is installed.

    Raises:
        MissingExtraError: "tsne" without scikit-learn.
        UsageError: a word without vector, fewer than three, more than 5,000, or an unknown method.
    """
    if method not in METHODS:
        raise UsageError(f"unknown method '{method}'.", f"Choose one of {', '.join(METHODS)}.")
    chosen = list(dict.fromkeys(words)) if words else model.words[:top]
    if not 3 <= len(chosen) <= _LARGEST_MAP:
        raise UsageError(f"a map of {len(chosen):,} words cannot be drawn.", f"Give 3 to {_LARGEST_MAP:,}.")
    vectors = np.stack([model[w] for w in chosen]).astype(np.float64)
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    start = _principal(units)
    if method == "pca" or (method == "auto" and find_spec("sklearn") is None):
        return chosen, start
    return chosen, _tsne(units, start, seed)


def _principal(units: np.ndarray) -> np.ndarray:
    centred = units - units.mean(0)
    left, widths, _ = np.linalg.svd(centred, full_matrices=False)
    count = min(2, left.shape[1])
    places = np.zeros((len(units), 2))
    places[:, :count] = left[:, :count] * widths[:count]
    return places


def _tsne(units: np.ndarray, start: np.ndarray, seed: int) -> np.ndarray:
    """t-SNE (van der Maaten & Hinton 2008) by scikit-learn, from the places of `_principal`."""
    try:
        from sklearn.manifold import TSNE
    except ImportError:
        raise MissingExtraError("scikit-learn", "sklearn") from None
    spread = max(float(start[:, 0].std()), 1e-12)
    perplexity = min(30.0, (len(units) - 1) / 3)
    places = TSNE(perplexity=perplexity, init=start / spread * 1e-4, random_state=seed).fit_transform(units)
    return np.asarray(places, np.float64)


def map_image(words: Sequence[str], places: np.ndarray, path: Path) -> None:
    """Draw a map into a .svg, .png or .pdf."""
    with drawing(path, (10, 8)) as axes:
        axes.scatter(places[:, 0], places[:, 1], s=4, color="tab:blue")
        for word, (x, y) in zip(words, places.tolist(), strict=True):
            axes.annotate(word.replace("$", r"\$"), (x, y), fontsize=7, xytext=(2, 2), textcoords="offset points")
        axes.set_axis_off()


def loss_plot(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw the held-out loss and the learning rate over the words trained on.

    Raises:
        DataError: no loss was measured, since the text is too short to hold some out.
    """
    points = [(h["words"], h["loss"], h["rate"]) for h in history if "loss" in h]
    if not points:
        raise DataError("no loss was measured: the text is too short to hold a part of it out.")
    words, losses, rates = zip(*points, strict=True)
    with drawing(path) as axes:
        axes.plot(words, losses, label="held-out loss")
        axes.set(xlabel="words trained on", ylabel="loss per target, nats")
        other = axes.twinx()
        other.plot(words, rates, "--", color="grey", label="learning rate")
        other.set_ylabel("learning rate")
        axes.figure.legend(loc="upper right", frameon=False)


def map_page(model: WordVectors, words: Sequence[str], places: np.ndarray, path: Path, title: str) -> None:
    """Write a map as one HTML page that needs nothing else: to zoom, to search, to see each word's neighbours."""
    near = model.nearest(np.stack([model[w] for w in words]), [[w] for w in words], top=10)
    spread = np.maximum(np.ptp(places, axis=0), 1e-12)
    scaled = (places - places.min(0)) / spread
    points = [
        {"w": w, "x": round(x, 5), "y": round(y, 5), "n": [[m, round(s, 3)] for m, s in neighbours]}
        for w, (x, y), neighbours in zip(words, scaled.tolist(), near, strict=True)
    ]
    # A "</script>" among the words must not end the script.
    data = json.dumps(points, ensure_ascii=True).replace("<", "\\u003c")
    name = title.replace("&", "&amp;").replace("<", "&lt;")
    with files.atomic_write(path) as stream:
        stream.write(_PAGE.substitute(title=name, points=data).encode())


_PAGE = Template("""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>$title</title>
<style>
body{margin:0;font:14px sans-serif;display:flex;height:100vh}
#map{flex:1;overflow:hidden;cursor:grab}
#side{width:260px;padding:12px;overflow:auto;border-left:1px solid #ccc}
input{width:100%;box-sizing:border-box;padding:6px}
li{cursor:pointer}
text{font-size:11px;cursor:pointer}
text.chosen{font-weight:bold;fill:#c00}
text.near{fill:#06c;font-weight:bold}
</style>
<svg id="map"></svg>
<div id="side"><h3>$title</h3><input id="search" placeholder="find a word" list="words">
<datalist id="words"></datalist><h4 id="word"></h4><ol id="near"></ol></div>
<script>
const points=$points;
const svg=document.getElementById("map"),byWord=new Map();
let scale=1,dx=0,dy=0,drag=null;
points.forEach(p=>{
  const t=document.createElementNS("http://www.w3.org/2000/svg","text");
  t.textContent=p.w;t.onclick=()=>choose(p.w);svg.appendChild(t);p.t=t;byWord.set(p.w,p);
  const o=document.createElement("option");o.value=p.w;document.getElementById("words").appendChild(o);
});
function place(){
  const w=svg.clientWidth,h=svg.clientHeight;
  points.forEach(p=>{p.t.setAttribute("x",dx+scale*(30+p.x*(w-120)));p.t.setAttribute("y",dy+scale*(20+(1-p.y)*(h-40)))});
}
function choose(word){
  points.forEach(p=>p.t.removeAttribute("class"));
  const p=byWord.get(word),list=document.getElementById("near");
  document.getElementById("word").textContent=word;list.textContent="";
  if(!p)return;
  p.t.setAttribute("class","chosen");
  p.n.forEach(([m,s])=>{
    const li=document.createElement("li");li.textContent=m+"  "+s.toFixed(3);
    if(byWord.has(m)){byWord.get(m).t.setAttribute("class","near");li.onclick=()=>choose(m)}
    list.appendChild(li);
  });
}
document.getElementById("search").oninput=e=>{if(byWord.has(e.target.value))choose(e.target.value)};
svg.onwheel=e=>{
  e.preventDefault();const f=e.deltaY<0?1.15:1/1.15;
  dx=e.offsetX-(e.offsetX-dx)*f;dy=e.offsetY-(e.offsetY-dy)*f;scale*=f;place();
};
svg.onmousedown=e=>{drag=[e.clientX-dx,e.clientY-dy]};
window.onmouseup=()=>{drag=null};
window.onmousemove=e=>{if(drag){dx=e.clientX-drag[0];dy=e.clientY-drag[1];place()}};
window.onresize=place;place();
</script></html>
""")
