import { lazily } from "./frame/lazily";
import { Frame } from "./frame/frame";
import { route, type Page } from "./router";
import { language } from "./i18n";

/** Each page is loaded when it is first shown. */
const pages: Record<Page, ReturnType<typeof lazily>> = {
  map: lazily(() => import("./pages/map")),
  services: lazily(() => import("./pages/services")),
  requests: lazily(() => import("./pages/requests")),
  events: lazily(() => import("./pages/events")),
  logs: lazily(() => import("./pages/logs")),
  manifests: lazily(() => import("./pages/manifests")),
};

export function App() {
  const { page } = route.value;
  const shown: Page = page === "send" ? "events" : page;
  const Shown = pages[shown];
  document.documentElement.lang = language.value;
  return (
    <Frame page={shown}>
      <Shown key={shown} />
    </Frame>
  );
}
