// Makes world.js: npm pack world-atlas@2.0.2, unpack it, node make-world.mjs package/land-110m.json > world.js
// TopoJSON arcs (quantised, delta-coded) become one SVG path in degrees: x = longitude + 180, y = 90 - latitude, one decimal,
// relative coordinates. Rings south of 60 degrees south (Antarctica) are left out: the map ends there.
import { readFileSync } from "node:fs";

const topology = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { scale, translate } = topology.transform;
const arcs = topology.arcs.map((arc) => {
  let x = 0, y = 0;
  return arc.map(([dx, dy]) => {
    x += dx; y += dy;
    return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
  });
});
const ring = (indices) => indices.flatMap((i, n) => {
  const points = i < 0 ? [...arcs[~i]].reverse() : arcs[i];
  return n === 0 ? points : points.slice(1);
});
const tenth = (v) => Math.round(v * 10);
const text = (v) => String(v / 10).replace(/^(-?)0\./, "$1.");
let path = "";
for (const geometry of topology.objects.land.geometries) {
  const polygons = geometry.type === "Polygon" ? [geometry.arcs] : geometry.arcs;
  for (const polygon of polygons) {
    for (const indices of polygon) {
      // Rings that cross the date line go on beyond it instead of jumping back over the whole map.
      let turn = 0, before;
      const unrolled = ring(indices).map(([x, y]) => {
        if (before !== undefined && Math.abs(x - before) > 180) turn += x < before ? 360 : -360;
        before = x;
        return [x + turn, y];
      });
      const xs = unrolled.map(([x]) => x);
      const shifts = [0, ...(Math.max(...xs) > 180 ? [-360] : []), ...(Math.min(...xs) < -180 ? [360] : [])];
      for (const shift of shifts) {
        const points = unrolled.map(([x, y]) => [tenth(x + shift + 180), tenth(90 - y)]);
        if (points.every(([, y]) => y > 1500)) continue;
        let [px, py] = points[0];
        path += `M${text(px)} ${text(py)}l`;
        let first = true;
        for (const [x, y] of points.slice(1, -1)) {
          if (x === px && y === py) continue;
          const dx = text(x - px), dy = text(y - py);
          path += (first || dx.startsWith("-") ? "" : " ") + dx + (dy.startsWith("-") ? "" : " ") + dy;
          [px, py] = [x, y];
          first = false;
        }
        path += "z";
      }
    }
  }
}
console.log(`// Outline of the land, in degrees: x = longitude + 180, y = 90 - latitude.
// Made with Natural Earth (1:110m land, public domain, naturalearthdata.com), from world-atlas 2.0.2: Copyright 2013-2019 Michael
// Bostock, ISC licence: "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is
// hereby granted, provided that the above copyright notice and this permission notice appear in all copies." Made by make-world.mjs.
"use strict";
const WORLD = "${path}";`);
