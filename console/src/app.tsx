import { Component, type ComponentChildren } from "preact";

import { Frame } from "./frame/frame";
import { lazily } from "./frame/lazily";
import { texts } from "./frame/messages";
import { language, messages } from "./i18n";
import { route, type Page } from "./router";
import { Button } from "./ui/button";
import { Note } from "./ui/empty";

const t = messages(texts);

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
      <Fence key={shown}>
        <Shown />
      </Fence>
    </Frame>
  );
}

/** An error in one page leaves the others alone. */
class Fence extends Component<{ children: ComponentChildren }, { error: string }> {
  override state = { error: "" };

  static override getDerivedStateFromError(error: unknown): { error: string } {
    return { error: error instanceof Error ? error.message : String(error) };
  }

  override componentDidCatch(error: unknown): void {
    console.error(error);
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return (
      <Note tone="warning">
        <p role="alert">{t("broken", { error: this.state.error })}</p>
        <Button onClick={() => this.setState({ error: "" })}>{t("again")}</Button>
      </Note>
    );
  }
}
