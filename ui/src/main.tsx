import { render } from "preact";
import { App } from "./app";
import { begin } from "./session";
import "./style/base.css";
import "./style/frame.css";
import "./style/disposition.css";
import "./style/agent.css";
import "./style/people.css";
import "./style/floor.css";
import "./style/lines.css";
import "./style/law.css";
import "./style/law-cards.css";

void begin();
const root = document.getElementById("app");
if (root) render(<App />, root);
