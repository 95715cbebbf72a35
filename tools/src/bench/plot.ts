import type { Report } from './report.ts';

type Line = Report['curves'][number];

const panel = { width: 360, height: 220, left: 56, top: 40, gap: 24, bottom: 44 };
const colours = ['#4477aa', '#228833', '#999999', '#cc6677', '#aa3377'];
const titles: Readonly<Record<string, string>> = {
  create: 'seconds after the first create',
  end: 'seconds after the ends',
  delete: 'seconds after the first delete',
};

/** How many pods had come to each step by when: a panel for each stage, as an SVG of its own. */
export function renderPlot({ curves, options, date, machine }: Report): string {
  const panels = [...Map.groupBy(curves, (line) => line.panel)];
  const width = panel.left + panels.length * (panel.width + panel.gap);
  const height = panel.top + panel.height + panel.bottom;
  const title = `${options.pods} pods, backend ${options.backend}, ${machine.cores} cores, ${date.slice(0, 10)}`;
  const body = panels.map(([name, lines], index) =>
    drawPanel(name, lines, panel.left + index * (panel.width + panel.gap), options.pods),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${panel.left}" y="20" font-size="14">${escapeXml(title)}</text>`,
    `<text x="${panel.left - 6}" y="${panel.top + 4}" text-anchor="end">${options.pods}</text>`,
    `<text x="${panel.left - 6}" y="${panel.top + panel.height}" text-anchor="end">0</text>`,
    ...body,
    '</svg>\n',
  ].join('\n');
}

function drawPanel(name: string, lines: readonly Line[], left: number, pods: number): string {
  const { width, height, top } = panel;
  const seconds = Math.max(0.001, ...lines.flatMap(({ points }) => points.map(([at]) => at)));
  const x = (at: number) => (left + (at / seconds) * width).toFixed(1);
  const y = (count: number) => (top + height - (count / pods) * height).toFixed(1);
  const drawn = lines.map(({ name: label, points }, index) => {
    const colour = colours[index % colours.length] ?? 'black';
    const path = points.map(([at, count]) => `${x(at)},${y(count)}`).join(' ');
    const labelY = top + height - 12 - index * 16;
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      `<text x="${left + width - 8}" y="${labelY}" text-anchor="end" fill="${colour}">${escapeXml(label)}</text>`,
    ].join('\n');
  });
  return [
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" fill="none" stroke="#ccc"/>`,
    ...drawn,
    `<text x="${left}" y="${top + height + 16}">0</text>`,
    `<text x="${left + width}" y="${top + height + 16}" text-anchor="end">${seconds.toFixed(1)}</text>`,
    `<text x="${left + width / 2}" y="${top + height + 34}" text-anchor="middle">${escapeXml(titles[name] ?? name)}</text>`,
  ].join('\n');
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
