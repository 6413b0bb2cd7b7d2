// Package realm holds the realm of the examples as the JSON that Keycloak imports, for programs that start an embedded one. README.md says what is in it.
package realm

import _ "embed"

// JSON is sivalabs-realm.json.
//
//go:embed sivalabs-realm.json
var JSON []byte
