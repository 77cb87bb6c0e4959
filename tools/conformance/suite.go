//go:build e2e

// Package conformance names what is built from upstream, so that go.mod and go.sum pin it.
package conformance

import (
	_ "knative.dev/serving/test/conformance/api/v1"
	_ "knative.dev/serving/test/conformance/api/v1beta1"
	_ "knative.dev/serving/test/conformance/runtime"
	_ "knative.dev/serving/test/e2e"
	_ "knative.dev/serving/test/e2e/domainmapping"
	_ "knative.dev/serving/test/e2e/gc"
	_ "knative.dev/serving/test/e2e/initcontainers"
	_ "knative.dev/serving/test/e2e/initscale"
	_ "knative.dev/serving/test/e2e/multicontainerprobing"
	_ "knative.dev/serving/test/e2e/pvc"
	_ "knative.dev/serving/test/e2e/securedefaults"
	_ "knative.dev/serving/test/e2e/tagheader"
)
