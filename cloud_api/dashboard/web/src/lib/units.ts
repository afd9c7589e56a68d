/** UCUM codes, as they are stored, turned into the symbols that people write. */

const SYMBOLS: Record<string, string> = {
  Cel: "°C",
  "[degF]": "°F",
  K: "K",
  "%": "%",
  "%{RH}": "% RH",
  deg: "°",
  Ohm: "Ω",
  "kW.h": "kWh",
  "MW.h": "MWh",
  "W.h": "Wh",
  "V.A": "VA",
  "kV.A": "kVA",
  "kV.A.h": "kVAh",
  var: "var",
  kvar: "kvar",
  "kvar.h": "kvarh",
  "[ppm]": "ppm",
  "[psi]": "psi",
  "{rpm}": "rpm",
  "/min": "1/min",
  "{count}": "",
  "1": "",
};

const POWERS: Record<string, string> = { "1": "¹", "2": "²", "3": "³" };

/** A unit's symbol: `Cel` → `°C`, `m3/h` → `m³/h`. Codes that we do not know stay as they are. */
export function symbol(code: string): string {
  const known = SYMBOLS[code];
  if (known !== undefined) return known;
  return code
    .replace(/\{[^}]*\}/g, "")
    .replace(/\b(k|c|m|d)?(m|s)([123])(?=$|[/.])/g, (_, prefix, base, power) => {
      return `${prefix ?? ""}${base}${POWERS[power as string] ?? power}`;
    })
    .replace(/^u(?=[A-Z a-z])/, "µ")
    .replaceAll(".", "·");
}
