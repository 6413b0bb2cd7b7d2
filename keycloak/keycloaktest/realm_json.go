package keycloaktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// The parts of Keycloak's realm representation that the embedded realm acts on; exports have hundreds more, which are ignored. A pointer or a nil slice tells an
// absent member from an empty one where Keycloak does.
type realmJSON struct {
	Realm                   string                    `json:"realm"`
	Enabled                 bool                      `json:"enabled"` // absent means disabled, as at Keycloak
	DisplayName             string                    `json:"displayName"`
	AccessTokenLifespan     *int                      `json:"accessTokenLifespan"`
	SSOSessionIdleTimeout   *int                      `json:"ssoSessionIdleTimeout"`
	SSOSessionMaxLifespan   *int                      `json:"ssoSessionMaxLifespan"`
	AccessCodeLifespan      *int                      `json:"accessCodeLifespan"`
	AccessCodeLifespanLogin *int                      `json:"accessCodeLifespanLogin"`
	LoginWithEmailAllowed   *bool                     `json:"loginWithEmailAllowed"`
	RevokeRefreshToken      bool                      `json:"revokeRefreshToken"`
	SignatureAlgorithm      string                    `json:"defaultSignatureAlgorithm"`
	Roles                   rolesJSON                 `json:"roles"`
	DefaultRole             *roleJSON                 `json:"defaultRole"`
	Clients                 []json.RawMessage         `json:"clients"`
	ClientScopes            []json.RawMessage         `json:"clientScopes"`
	DefaultScopes           []string                  `json:"defaultDefaultClientScopes"`
	OptionalScopes          []string                  `json:"defaultOptionalClientScopes"`
	ScopeMappings           []scopeMapping            `json:"scopeMappings"`
	ClientScopeMappings     map[string][]scopeMapping `json:"clientScopeMappings"`
	Users                   []json.RawMessage         `json:"users"`
}

type rolesJSON struct {
	Realm  []roleJSON            `json:"realm"`
	Client map[string][]roleJSON `json:"client"`
}

type roleJSON struct {
	Name       string `json:"name"`
	Composites struct {
		Realm  []string            `json:"realm"`
		Client map[string][]string `json:"client"`
	} `json:"composites"`
}

// scopeMapping says which roles the tokens of a client without fullScopeAllowed may carry.
type scopeMapping struct {
	Client string   `json:"client"`
	Roles  []string `json:"roles"`
}

type clientJSON struct {
	ID                     string            `json:"id"`
	ClientID               string            `json:"clientId"`
	Secret                 string            `json:"secret"`
	Enabled                *bool             `json:"enabled"`
	PublicClient           bool              `json:"publicClient"`
	BearerOnly             bool              `json:"bearerOnly"`
	ServiceAccountsEnabled bool              `json:"serviceAccountsEnabled"`
	StandardFlowEnabled    *bool             `json:"standardFlowEnabled"`
	FullScopeAllowed       *bool             `json:"fullScopeAllowed"`
	RootURL                string            `json:"rootUrl"`
	BaseURL                string            `json:"baseUrl"`
	RedirectURIs           []string          `json:"redirectUris"`
	WebOrigins             []string          `json:"webOrigins"`
	Attributes             map[string]string `json:"attributes"`
	ProtocolMappers        []mapperJSON      `json:"protocolMappers"`
	DefaultClientScopes    []string          `json:"defaultClientScopes"`
	OptionalClientScopes   []string          `json:"optionalClientScopes"`
}

type mapperJSON struct {
	Name           string            `json:"name"`
	ProtocolMapper string            `json:"protocolMapper"`
	Config         map[string]string `json:"config"`
}

type scopeJSON struct {
	Name            string            `json:"name"`
	Protocol        string            `json:"protocol"`
	Attributes      map[string]string `json:"attributes"`
	ProtocolMappers []mapperJSON      `json:"protocolMappers"`
}

type userJSON struct {
	ID                     string              `json:"id"`
	Username               string              `json:"username"`
	Enabled                bool                `json:"enabled"` // absent means disabled, as at Keycloak
	Email                  string              `json:"email"`
	EmailVerified          bool                `json:"emailVerified"`
	FirstName              string              `json:"firstName"`
	LastName               string              `json:"lastName"`
	Credentials            []credentialJSON    `json:"credentials"`
	RealmRoles             []string            `json:"realmRoles"`
	ClientRoles            map[string][]string `json:"clientRoles"`
	ServiceAccountClientID string              `json:"serviceAccountClientId"`
}

type credentialJSON struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// decode reads the JSON of one part of the realm, at a path like clients[1], into v. Its error names the member that is wrong, and holds no value: it could be a
// secret.
func decode(path string, data []byte, v any) error {
	err := json.Unmarshal(data, v)
	var mistyped *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mistyped):
		member := strings.Trim(path+"."+mistyped.Field, ".")
		if member == "" {
			member = "the realm"
		}
		got, _, _ := strings.Cut(mistyped.Value, " ")
		return fmt.Errorf("%s: want %s, got %s", member, jsonKind(mistyped.Type), got)
	case errors.As(err, &syntax):
		line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		return fmt.Errorf("line %d: not JSON: %w", line, syntax)
	}
	return errors.New("not JSON")
}

// decodeList decodes the elements of the list at path one by one, so that an error says which one is wrong.
func decodeList[T any](path string, raw []json.RawMessage) ([]T, error) {
	list := make([]T, len(raw))
	for i := range raw {
		if err := decode(fmt.Sprintf("%s[%d]", path, i), raw[i], &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}
