import { route } from "../../router";
import { ServicePage } from "./detail";
import { List } from "./list";
import "./services.css";

export default function ServicesPage() {
  const [namespace, name] = route.value.rest;
  return namespace && name ? <ServicePage key={`${namespace}/${name}`} namespace={namespace} name={name} /> : <List />;
}
