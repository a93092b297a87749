/** What the server sends, as cadencia/dialer/views.py defines it. */

export type AgentState = "out" | "connecting" | "ready" | "preview" | "reserved" | "talking" | "wrapup" | "paused";
export type CampaignState = "stopped" | "running" | "paused";
export type Mode = "preview" | "progressive" | "ratio" | "predictive";

export interface Obligation {
  id: number;
  product: string;
  creditor: string;
  number: string;
  role: string;
  days_past_due: number;
  due_date?: string;
  balance_minor?: number;
  overdue_minor?: number;
  currency?: string;
}

export interface PastContact {
  at: string;
  outcome: string;
  disposition: string | null;
  agent: string | null;
  note: string;
}

export interface Script {
  say: Said[];
  dont: Said[];
}

export interface Pop {
  attempt_id: string;
  campaign_id: string;
  campaign: string;
  person: string;
  city: string;
  language: string;
  document: string;
  phone: string;
  obligations: Obligation[];
  history: PastContact[];
  confirmed: boolean;
  answered_at: string | null;
  script?: Script | null;
}

export interface AgentView {
  id: string;
  name: string;
  endpoint: string;
  state: AgentState;
  since: string;
  reason: string;
  phone_up: boolean;
  pop: Pop | null;
  wrapup_until: string | null;
  next_pause: string | null;
  calls: number;
  talk_s: number;
  overdue?: string[];
  preview_until?: string | null;
  hanging_up?: boolean;
  came_of?: string;
  /** The link to the server on which the telephone lives stands. */
  switch_up: boolean;
  telephone: "nailed" | "rung" | "browser";
  server: string;
  nailed: boolean;
}

/** What the page registers with as the agent's telephone. */
export interface BrowserTelephone {
  uri: string;
  user: string;
  password: string;
  wss: string;
  domain: string;
}

export interface AgentRow {
  id: string;
  name: string;
  state: AgentState;
  since: string;
  reason: string;
  phone_up: boolean;
  campaign_id: string | null;
  calls: number;
  talk_s: number;
}

export interface Forecast {
  risk: number;
  threshold: number;
  answer_rate: number;
  free_10s: number;
  answers_10s: number;
  answers_10s_low: number;
  answers_10s_high: number;
}

export interface Abandonment {
  answers: number;
  abandoned: number;
  rate: number;
  upper: number;
  ofcom: number;
  without_machines: number;
}

export interface Campaign {
  id: string;
  name: string;
  state: CampaignState;
  mode: string;
  ratio: number;
  abandonment_cap: number;
  ring_s: number;
  wait_s: number;
  wrapup_s: number;
  reason: string;
  dialling: number;
  waiting: number;
  talking: number;
  attempts: number;
  answered_live: number;
  connected: number;
  abandoned: number;
  abandonment_rate: number;
  contacts: number;
  contacts_touched: number;
  contacts_closed: number;
  outcomes: Record<string, number>;
  denied: Record<string, number>;
  abandonment_target: number | null;
  cancel_late: boolean;
  weight: number;
  why: { es: string; en: string } | null;
  forecast: Forecast | null;
  abandonment_day: Abandonment | null;
  abandonment_month: Abandonment | null;
  budget_left: number;
  profiles: string[];
  /** Seconds of lawful calling time left today. */
  lawful_left_s: number;
  /** When the present window closes, and while it is closed, when it opens. */
  lawful_until: string | null;
  lawful_from: string | null;
}

/** A mean and half of its 95 % interval. */
export interface Figure {
  mean: number;
  half: number;
}

export interface Figures {
  utilisation: Figure;
  wait_mean_s: Figure;
  wait_p95_s: Figure;
  abandonment: Figure;
  dials_per_contact: Figure;
}

export interface WhatIfAnswer {
  campaign_id: string;
  now: Figures;
  then: Figures;
  difference: Figures;
  simulated: {
    pieces: number;
    hours: number;
    agents: number;
    agents_then: number;
    channels: number;
    answer_rate: number;
    known: boolean;
  };
  without_effect: string[];
}

export interface CallRow {
  attempt_id: string;
  campaign_id: string;
  state: string;
  since: string;
  agent_id: string | null;
}

export interface Floor {
  at: string;
  simulated: boolean;
  speed: number;
  switch_up: boolean;
  store_up: boolean;
  servers_down: string[];
  campaigns: Campaign[];
  agents: AgentRow[];
  calls: CallRow[];
}

export interface Me {
  login: string;
  name: string;
  role: string;
  language: string;
  agent_id: string | null;
  landing: string;
  timezone: string;
  clock: { now: string; simulated: boolean; speed: number };
}

export interface Leaf {
  code: string;
  es: string;
  en: string;
  needs_promise: boolean;
  needs_callback: boolean;
  blocks_person: boolean;
  kills_phone: boolean;
  retry_h: number | null;
}

export interface Level {
  code: string;
  es: string;
  en: string;
  leaves: Leaf[];
}

export interface Codes {
  levels: Level[];
  labels: Record<string, { es: string; en: string }>;
  pause_reasons: string[];
  skip_reasons: string[];
}

/** A sentence in both languages. */
export interface Said {
  es: string;
  en: string;
}

export interface ServerView {
  name: string;
  up: boolean;
  since: string | null;
  trouble: { code: string; said: Said; hint: Said } | null;
  calls: number;
  legs_up: number;
  events_per_s: number;
  round_trip_ms: number | null;
  reconnects: number;
  version: string;
}

export interface TrunkView {
  server: string;
  name: string;
  state: string;
  channels_used: number;
  channels: number;
  rate_used: number;
  rate_per_s: number;
  attempts: number;
  answered: number;
  asr: number | null;
  pdd_p50_s: number | null;
  pdd_p95_s: number | null;
  short: number | null;
  last_failure: { at: string; outcome: string; sip: number | null; q850: number | null } | null;
}

export interface CauseRow {
  server: string;
  trunk: string;
  sip: number | null;
  q850: number | null;
  rang: boolean;
  media: boolean;
  timeout: boolean;
  outcome: string;
  label: Said;
  known: boolean;
  rule: string;
  count: number;
  said: Said;
  /** Attempts, the newest first. */
  newest: string[];
}

export interface Telephony {
  at: string;
  simulated: boolean;
  servers: ServerView[];
  trunks: TrunkView[];
  causes: CauseRow[];
  calls: number;
  unknown: number;
}

export interface TimelineRow {
  at: string;
  ms: number | null;
  source: string;
  what: string;
  said: Said;
  detail: string;
}

export interface CallView {
  attempt_id: string;
  campaign_id: string;
  live: boolean;
  outcome: string;
  label: Said;
  traced: boolean;
  dropped: number;
  rows: TimelineRow[];
}

export interface LawVersion {
  id: string;
  version: number;
  sha256: string;
  state: string;
  proposed_by: string;
  proposed_at: string;
  reason: string;
  decided_by: string;
  decided_at: string | null;
  decision: string;
}

export interface CodeCount extends Said {
  code: string;
  count: number;
}

export interface LawYesterday {
  day: string;
  campaigns: string[];
  asked: number;
  allowed: number;
  now_denied: CodeCount[];
  now_allowed: CodeCount[];
  cases: { campaign_id: string; contact_id: number; at: string; before: string | null; after: string | null; rule: string }[];
}

export interface LawProposal {
  version: LawVersion;
  readable: boolean;
  title: string;
  in_force: number | null;
  own: boolean;
  changes: { path: string; old: string; new: string; effect: string }[];
  progress: number;
  yesterday: LawYesterday | null;
}

export interface LawInForce {
  version: LawVersion;
  readable: boolean;
  title: string;
  jurisdiction: string;
  confidence: string;
  citations: string[];
  valid_from: string | null;
  valid_to: string | null;
  campaigns: string[];
}

export interface Law {
  may_decide: boolean;
  proposals: LawProposal[];
  in_force: LawInForce[];
  history: LawVersion[];
}

/** A contact that the independent re-check finds against. */
export interface LawViolation extends Said {
  rule: string;
  profile: string;
  at: string;
  attempt: string;
  campaign: string | null;
  contact_id: number | null;
}

/** A local day's contacts, judged again; `first` are the first violations. */
export interface LawNight {
  day: string;
  at: string;
  persons: number;
  contacts: number;
  violations: number;
  by_rule: Record<string, number>;
  first: LawViolation[];
}

/** What opens a no that time alone does not open. */
export type Needs = Said | null;

export interface Census {
  at: string;
  total: number;
  callable_now: number;
  denied: { code: string; contacts: number; opens: string | null; needs: Needs }[];
}

export interface Rehearsal {
  day: string;
  total: number;
  callable: number;
  lawful_s: number;
  first_by_hour: Record<string, number>;
  denied: Record<string, number>;
}

export interface Explained {
  contact: number;
  campaign: string;
  at: string;
  callable: boolean;
  phone: string | null;
  code: string | null;
  rule: string | null;
  next_at: string | null;
  needs: Needs;
  numbers: { phone: string | null; against: { code: string; rule: string; until: string | null; needs: Needs }[] }[];
}

export interface DataRequest {
  id: number;
  person_id: number;
  kind: string;
  received_on: string;
  due: string;
  extended: boolean;
  law: string;
  /** Business days, negative when it is late. */
  days_left: number;
}

export interface NoteFinding {
  rule: string;
  said: string;
  told: string;
  citation: string;
  question: boolean;
}
