package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The realms that both issuers have.
const (
	sivalabs = "sivalabs" // examples/realm/sivalabs-realm.json as it is
	wide     = "wide"     // the same with more clients, and more addresses of messages-webapp
	article  = "article"  // the same as in the articles: no audience mappers, and the job is an admin
)

const jobSecret = "archival-service-demo-secret"

// root is the folder of the module that is tested.
var root = filepath.Join("..", "..")

// moreClients are the clients of wide; each has the secret "secret", and its tokens are for both services.
var moreClients = []struct {
	id, roles string // realm roles of the service account; "default" stands for the realm's default roles
	with      object // what is special
}{
	{"as-admin", "ROLE_ADMIN", nil},
	{"as-job", "ROLE_ADMIN_JOB", nil},
	{"as-user", "ROLE_USER", nil},
	{"as-nobody", "default", nil},
	{"no-roles-scope", "ROLE_ADMIN", object{"defaultClientScopes": []any{"basic", "profile"}, "optionalClientScopes": []any{}}},
	{"lightweight", "ROLE_ADMIN", object{"attributes": object{"client.use.lightweight.access.token.enabled": "true"}}},
	{"brief", "ROLE_ADMIN ROLE_ADMIN_JOB", object{"attributes": object{"access.token.lifespan": "1"}}},
	{"ten seconds", "ROLE_ADMIN_JOB", object{"attributes": object{"access.token.lifespan": "10"}}},
	{"odd name", "ROLE_USER", object{"secret": oddSecret}},
	{"disabled", "ROLE_USER", object{"enabled": false}},
	{"no-account", "", object{"serviceAccountsEnabled": false}},
	{"public", "", object{"publicClient": true, "serviceAccountsEnabled": false}},
}

// oddSecret shows every mistake in the form-encoding that RFC 6749 §2.3.1 asks for.
const oddSecret = "s3cr3t%+ /:ü"

type object = map[string]any

// realmFile returns the JSON of one of the realms.
func realmFile(name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(root, "examples", "realm", "sivalabs-realm.json"))
	if err != nil || name == sivalabs {
		return data, err
	}
	var realm object
	text := strings.ReplaceAll(string(data), "default-roles-sivalabs", "default-roles-"+name)
	if err := json.Unmarshal([]byte(text), &realm); err != nil {
		return nil, err
	}
	realm["realm"] = name
	clients, users := realm["clients"].([]any), realm["users"].([]any)
	switch name {
	case wide:
		for _, client := range clients {
			if client := client.(object); client["clientId"] == webapp {
				allowWebapps(client)
				late, err := copied(client)
				if err != nil {
					return nil, err
				}
				late["clientId"] = tenSecondsWebapp
				late["attributes"].(object)["access.token.lifespan"] = "10"
				clients = append(clients, late)
			}
		}
		for _, more := range moreClients {
			client := object{
				"clientId": more.id, "secret": "secret", "serviceAccountsEnabled": true, "standardFlowEnabled": false,
				"protocolMappers": []any{audienceMapper("messages-service"), audienceMapper("archival-service")},
			}
			for name, value := range more.with {
				client[name] = value
			}
			clients = append(clients, client)
			if more.roles == "" {
				continue
			}
			roles := strings.Fields(strings.ReplaceAll(more.roles, "default", "default-roles-"+wide))
			users = append(users, object{
				"username": "service-account-" + more.id, "enabled": true, "serviceAccountClientId": more.id, "realmRoles": roles,
			})
		}
	case article:
		for _, client := range clients {
			delete(client.(object), "protocolMappers")
		}
		for _, user := range users {
			if user := user.(object); user["username"] == "service-account-archival-service" {
				user["realmRoles"] = []any{"default-roles-" + article, "ROLE_ADMIN"}
			}
		}
	default:
		return nil, fmt.Errorf("no realm %q", name)
	}
	realm["clients"], realm["users"] = clients, users
	return json.Marshal(realm)
}

// copied is a deep copy.
func copied(value object) (object, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var out object
	return out, json.Unmarshal(text, &out)
}

// audienceMapper writes into lightweight tokens too.
func audienceMapper(audience string) object {
	return object{
		"name": "audience " + audience, "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
		"config": object{"included.client.audience": audience, "access.token.claim": "true", "lightweight.claim": "true"},
	}
}

// customAudience is an audience that is no client of the realm.
func customAudience(audience string) object {
	return object{
		"name": "audience " + audience, "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
		"config": object{"included.custom.audience": audience, "access.token.claim": "true"},
	}
}
