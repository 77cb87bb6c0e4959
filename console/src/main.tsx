import { render } from "preact";

import { App } from "./app";
import { listen } from "./keys";
import { applyTheme } from "./theme";
import "./styles/base.css";

applyTheme();
listen();
const root = document.getElementById("console");
if (root) render(<App />, root);
