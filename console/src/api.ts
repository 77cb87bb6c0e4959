/** Requests to the server that the page came from. */

interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** The server said no, or nothing: `status` is 0 if it could not be reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly Cause[];

  constructor(status: number, reason: string, message: string, causes: readonly Cause[] = []) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.reason = reason;
    this.causes = causes;
  }
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => asked<T>("GET", path, undefined, undefined, signal);
export const post = <T>(path: string, body?: unknown, contentType?: string, signal?: AbortSignal): Promise<T> =>
  asked<T>("POST", path, body, contentType, signal);
export const put = <T>(path: string, body?: unknown, contentType?: string): Promise<T> => asked<T>("PUT", path, body, contentType);
export const patch = <T>(path: string, body?: unknown, contentType = "application/merge-patch+json"): Promise<T> =>
  asked<T>("PATCH", path, body, contentType);
export const del = <T>(path: string, body?: unknown): Promise<T> => asked<T>("DELETE", path, body);

/** What stands in the page's head: the token of this run, the nonce of this page. */
export function meta(name: "token" | "nonce"): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="knlite-${name}"]`)?.content ?? "";
}

/** A body that is text is sent as it is; anything else as JSON. Raises `ApiError`; an abort stays one. */
async function asked<T>(method: string, path: string, body?: unknown, contentType = "application/json", signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-Knlite-Token"] = meta("token");
  const init: RequestInit = { method, headers, ...(signal ? { signal } : {}) };
  if (body !== undefined) {
    headers["Content-Type"] = contentType;
    init.body = typeof body === "string" ? body : JSON.stringify(body);
  }
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "Unreachable", "knlite does not answer. Is it still running?");
  }
  const text = await answer.text();
  if (!answer.ok) throw refused(answer.status, text);
  return (text === "" ? undefined : parsed(text)) as T;
}

function refused(status: number, text: string): ApiError {
  const said = parsed(text);
  if (!isRecord(said)) return new ApiError(status, "", text || `knlite answered ${status}`);
  const details = isRecord(said["details"]) ? said["details"] : {};
  const causes = Array.isArray(details["causes"]) ? details["causes"].filter(isRecord) : [];
  return new ApiError(
    status,
    String(said["reason"] ?? ""),
    String(said["message"] ?? text),
    causes.map((cause) => ({ reason: String(cause["reason"] ?? ""), message: String(cause["message"] ?? ""), field: String(cause["field"] ?? "") })),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
