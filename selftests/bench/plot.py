# SPDX-License-Identifier: GPL-2.0
"""A drawing of the results as SVG, readable on light and on dark ground."""
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 920, 250, 90
BAR, GAP, GROUP = 15, 2, 16
STYLE = """/* SPDX-License-Identifier: GPL-2.0 */
  text { font: 13px sans-serif; fill: #1f2328 }
  .small { font-size: 11px }
  .title { font-size: 17px; font-weight: bold }
  .grid { stroke: #8c959f; stroke-opacity: .35 }
  .goal { stroke: #1f2328; stroke-width: 2 }
  .line { fill: none; stroke-width: 2.5 }
  .ideal { fill: none; stroke: #8c959f; stroke-dasharray: 5 4 }
  .ground { fill: #ffffff }
  .wireguard { fill: #c2410c; stroke: #c2410c }
  .ovpn { fill: #8250df; stroke: #8250df }
  .esp { fill: #6e7781; stroke: #6e7781 }
  .esp-if { fill: #a8b0b9; stroke: #a8b0b9 }
  .vpn { fill: #0969da; stroke: #0969da }
  .vpn-aes { fill: #1a7f37; stroke: #1a7f37 }
  .line { fill: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .goal { stroke: #e6edf3 }
    .ground { fill: #0d1117 }
    .wireguard { fill: #f0883e; stroke: #f0883e }
    .ovpn { fill: #bc8cff; stroke: #bc8cff }
    .esp { fill: #9ea7b3; stroke: #9ea7b3 }
    .esp-if { fill: #626a73; stroke: #626a73 }
    .vpn { fill: #58a6ff; stroke: #58a6ff }
    .vpn-aes { fill: #3fb950; stroke: #3fb950 }
    .line { fill: none }
  }
"""


def label(x, y, text, kind="", anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" '
            f'text-anchor="{anchor}">{escape(text)}</text>')


def rule(x1, y1, x2, y2, kind="grid"):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def step_of(most):
    """A round distance between lines, for about six of them."""
    step = 1
    while most / step > 6:
        step *= 2 if str(step)[0] in "15" else 2.5
        step = int(step)
    return step


class Drawing:
    """Pieces from top to bottom."""

    def __init__(self):
        self.parts = []
        self.y = 30

    def heading(self, text, more):
        self.parts += [label(20, self.y, text, "title"), label(20, self.y + 20, more)]
        self.y += 40

    def legend(self, titles):
        x = 20
        for name, title in titles.items():
            self.parts.append(f'<rect x="{x}" y="{self.y - 11}" width="12" height="12" '
                              f'class="{name}"/>')
            self.parts.append(label(x + 18, self.y, title))
            x += 40 + 8 * len(title)
        self.y += 24

    def bars(self, groups, goals):
        """groups: (column, title, {name: value}); a mark where the goal of a bar is."""
        most = max(value for _, _, bars in groups for value in bars.values())
        scale = (WIDTH - LEFT - RIGHT) / most
        top, step = self.y, step_of(most)
        begin = len(self.parts)
        for column, title, bars in groups:
            self.parts.append(label(LEFT - 10, self.y + len(bars) * (BAR + GAP) / 2 + 4,
                                    title, anchor="end"))
            for name, value in bars.items():
                self.parts.append(
                    f'<rect x="{LEFT}" y="{self.y}" width="{max(value, 0) * scale:.1f}" '
                    f'height="{BAR}" class="{name}"/>')
                self.parts.append(label(LEFT + max(value, 0) * scale + 6, self.y + BAR - 3,
                                        f"{value:.1f}", "small"))
                goal = goals.get((column, name))
                if goal:
                    x = LEFT + goal * scale
                    self.parts.append(rule(x, self.y - 1, x, self.y + BAR + 1, "goal"))
                self.y += BAR + GAP
            self.y += GROUP
        lines = []
        for value in range(0, int(most) + 1, step):
            x = LEFT + value * scale
            lines += [rule(x, top - 6, x, self.y - GROUP + 6),
                      label(x, self.y + 8, str(value), "small", "middle")]
        self.parts[begin:begin] = lines
        self.y += 40

    def curves(self, lines):
        """lines: {name: [(x, y)]}, shares of the peak."""
        height, width, left = 220, 520, 70
        most_x = max(x for points in lines.values() for x, _ in points)
        top, bottom = self.y, self.y + height

        def at(x, y):
            return left + x / most_x * width, bottom - y / 1.2 * height

        for y in (0, 0.25, 0.5, 0.75, 1):
            self.parts += [rule(*at(0, y), *at(most_x, y)),
                           label(left - 8, at(0, y)[1] + 4, f"{y:g}", "small", "end")]
        for x in (0.5, 1, 2, 4):
            if x <= most_x:
                self.parts += [rule(*at(x, 0), *at(x, 1.2)),
                               label(at(x, 0)[0], bottom + 16, f"{x:g}", "small", "middle")]
        ideal = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(0, 0), at(1, 1), at(most_x, 1)))
        self.parts.append(f'<polyline points="{ideal}" class="ideal"/>')
        for name, points in lines.items():
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points))
            self.parts.append(f'<polyline points="{path}" class="{name} line" '
                              'style="fill:none"/>')
            for point in points:
                x, y = at(*point)
                self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" '
                                  f'class="{name}"/>')
        self.parts.append(label(left + width / 2, bottom + 34,
                                "offered, as a multiple of the peak", anchor="middle"))
        self.y = top + height + 56

    def finish(self):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.y}" '
                f'width="{WIDTH}" height="{self.y}" role="img">')
        return "\n".join([head, "<style>", STYLE.rstrip(), "</style>",
                          f'<rect width="{WIDTH}" height="{self.y}" class="ground"/>',
                          *self.parts, "</svg>", ""])
