/** One request: where its time went, and all that is known of it. */
import { useEffect, useState } from "preact/hooks";

import { get } from "../../api";
import { curl } from "../../curl";
import { duration, size } from "../../format";
import { go, href, route } from "../../router";
import { Badge } from "../../ui/badge";
import { Button, ButtonLink } from "../../ui/button";
import { copyText } from "../../ui/clipboard";
import { Copy } from "../../ui/copy";
import { Drawer } from "../../ui/dialog";
import { Trouble } from "../../ui/empty";
import { way } from "../../ui/stagebar";
import { Time } from "../../ui/time";
import { keyOf, ownTime, type Row, type Told } from "./model";
import { Status } from "./status";
import { Waterfall } from "./waterfall";
import { t } from "./words";

export function Story({ id, number }: { id: string; number: string }) {
  const [told, setTold] = useState<Told | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const leave = new AbortController();
    setTold(null);
    setError(null);
    const query = number === "" ? "" : `?number=${encodeURIComponent(number)}`;
    get<Told>(`/knlite/requests/${encodeURIComponent(id)}${query}`, leave.signal).then(setTold, (reason: unknown) => {
      if (!leave.signal.aborted) setError(reason);
    });
    return () => leave.abort();
  }, [id, number, attempt]);
  const close = (): void => go("requests", [], { ...route.value.query, number: undefined });
  const row = told?.story.request;
  return (
    <Drawer wide title={row ? `${row.method} ${row.path}` : t("detail", { id })} onClose={close}>
      {error !== null && <Trouble error={error} retry={() => setAttempt(attempt + 1)} />}
      {!told && error === null && <p class="quiet">{t("loading")}</p>}
      {told && <Whole told={told} />}
    </Drawer>
  );
}

function Whole({ told }: { told: Told }) {
  const { story, lines } = told;
  const row = story.request;
  const own = ownTime(story.waterfall.stages);
  return (
    <>
      <div class="row">
        <Status row={row} />
        {row.cold && <Badge tone="frozen">{t("coldMark")}{row.how && `, ${way(row.how)}`}</Badge>}
        <strong>{duration(row.seconds)}</strong>
        <span class="quiet"><Time at={row.at} show="clock" /> · <Time at={row.at} /></span>
        <span class="spread"><Button kind="quiet" icon="copy" onClick={() => void copyText(curl({ method: row.method, url: `http://${row.host}${row.path}`, headers: [], body: "" }), t("curlCopied"))}>{t("copyCurl")}</Button></span>
      </div>
      {own && <p class="quiet">{t("own")}: {t("ownHow", { first: duration(own.first), last: duration(own.last) })}</p>}
      <Waterfall waterfall={story.waterfall} />
      <Facts told={told} />
      <section class="stack">
        <div class="row">
          <h3>{t("lines")}</h3>
          {row.instance && (
            <span class="spread row">
              {lines.length > 0 && <ButtonLink kind="quiet" icon="logs" href={href("logs", [], { request: row.id })}>{t("toRequestLines")}</ButtonLink>}
              <ButtonLink kind="quiet" icon="logs" href={href("logs", [], { instance: row.instance, moment: row.at })}>{t("toLines")}</ButtonLink>
            </span>
          )}
        </div>
        {lines.length === 0 ? <p class="quiet">{t("noLines")}</p> : (
          <ol class="request-lines" tabIndex={0} aria-label={t("lines")}>
            {lines.map((line, index) => <li key={index} class={`level-${line.level}`}><span class="quiet"><Time at={line.at} show="clock" /></span> <span>{line.text}</span></li>)}
          </ol>
        )}
      </section>
      {story.sameId.length > 0 && (
        <section class="stack">
          <h3>{t("same")}</h3>
          <ul class="same">
            {story.sameId.map((each) => (
              <li key={keyOf(each)}>
                <a href={href("requests", [each.id], { ...route.value.query, number: String(each.number) })}><Time at={each.at} show="clock" /> {each.method} <span>{each.path}</span></a> <Status row={each} /> {duration(each.seconds)}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Facts({ told }: { told: Told }) {
  const { story } = told;
  const row: Row = story.request;
  const http = story.record.httpRequest;
  const headers = Object.entries(story.headers);
  return (
    <section class="stack">
      <h3>{t("facts")}</h3>
      <dl class="pairs">
        <dt>{t("service")}</dt><dd><a href={href("services", [row.namespace, row.service])}>{row.namespace}/{row.service}</a></dd>
        <dt>{t("revision")}</dt><dd>{row.revision}{story.record.routeTag && !story.record.routeTag.startsWith("kn:") && ` · ${t("tag")} ${story.record.routeTag}`}</dd>
        {row.instance && <><dt>{t("instance")}</dt><dd class="mono">{row.instance}</dd></>}
        <dt>{t("id")}</dt><dd class="mono row">{row.id} <Copy text={row.id} label={t("copyId")} /></dd>
        {story.event && (
          <>
            <dt>{t("event")}</dt>
            <dd><a href={href("events", [], { id: story.event.id })}>{story.event.type || story.event.id}</a> <span class="quiet">{story.event.id}{story.event.source && ` · ${story.event.source}`}</span></dd>
          </>
        )}
        <dt>{t("sizes")}</dt><dd>{t("sizesOf", { request: size(Number(http.requestSize)), response: size(Number(http.responseSize)) })} · {http.protocol}</dd>
        {/* A delivery comes from knlite itself, by no port. */}
        {http.remoteIp && !http.remoteIp.endsWith(":0") && <><dt>{t("client")}</dt><dd class="mono">{http.remoteIp}</dd></>}
        {story.record.traceId && <><dt>{t("trace")}</dt><dd class="mono">{story.record.traceId}</dd></>}
      </dl>
      <details>
        <summary>{t("headers")} <span class="quiet">({headers.length})</span></summary>
        {headers.length === 0 ? <p class="quiet">{t("noHeaders")}</p> : <dl class="pairs mono">{headers.map(([name, value]) => <><dt key={name}>{name}</dt><dd>{value}</dd></>)}</dl>}
        <p class="quiet">{t("headersHow")}</p>
      </details>
    </section>
  );
}
