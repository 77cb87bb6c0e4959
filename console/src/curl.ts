/** A request as a line for a shell. Pure; nothing in it can end its own quotes. */

export interface Written {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

export function curl({ method, url, headers, body }: Written): string {
  const usual = body === "" ? "GET" : "POST";
  return [
    "curl -i",
    ...(method === "HEAD" ? ["--head"] : method === usual ? [] : [`-X ${quoted(method)}`]),
    ...headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === "" ? [] : [`--data-raw ${quoted(body)}`]),
    quoted(url),
  ].join(" ");
}

/** `Name: value` line by line; empty lines are nothing. A line without a colon is wrong. */
export function headersOf(text: string): { headers: [string, string][]; wrong: string } {
  const headers: [string, string][] = [];
  for (const line of text.split("\n").map((each) => each.trim()).filter((each) => each !== "")) {
    const colon = line.indexOf(":");
    if (colon <= 0) return { headers, wrong: line };
    headers.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  return { headers, wrong: "" };
}

/** A path as it is joined to an address. */
export const joined = (url: string, path: string): string => `${url.replace(/\/$/, "")}${path.startsWith("/") ? path : `/${path}`}`;

/** A word of a POSIX shell, whatever stands in it. */
export const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
