package resourceserver

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"unicode"
)

// withExactNames returns data without the members that json.Unmarshal would store in a field of target by folding case.
func withExactNames(data []byte, target reflect.Value) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(exactNames{}.keep(value, target))
}

// exactNames are the fields of the structs that one Decode has met.
type exactNames map[reflect.Type]map[string]jsonField

// jsonField is the field of a struct that a JSON name stands for.
type jsonField struct {
	index  []int // as for reflect.Value.FieldByIndex
	tagged bool
	twice  bool // another field has as good a claim to the name, so neither gets it
}

// keep returns value without the members that have no field of their very name in target. What target holds is walked along, since
// json.Unmarshal stores in what a pointer points to, also in one that an interface holds.
func (e exactNames) keep(value any, target reflect.Value) any {
	target, own := storedIn(target)
	if own {
		return value
	}
	switch target.Kind() {
	case reflect.Slice, reflect.Array:
		elements, _ := value.([]any)
		for i, element := range elements {
			into := reflect.Zero(target.Type().Elem())
			if i < target.Len() {
				into = target.Index(i)
			}
			elements[i] = e.keep(element, into)
		}
	case reflect.Map:
		members, _ := value.(map[string]any)
		for name, member := range members {
			members[name] = e.keep(member, reflect.Zero(target.Type().Elem()))
		}
	case reflect.Struct:
		members, _ := value.(map[string]any)
		for name, member := range members {
			field, ok := e.of(target.Type())[name]
			if !ok {
				delete(members, name)
				continue
			}
			into, err := target.FieldByIndexErr(field.index)
			if err != nil { // in an embedded struct that a nil pointer stands for
				into = reflect.Zero(target.Type().FieldByIndex(field.index).Type)
			}
			members[name] = e.keep(member, into)
		}
	}
	return value
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// storedIn follows pointers as json.Unmarshal does. own reports that what it comes to reads JSON itself.
func storedIn(target reflect.Value) (stored reflect.Value, own bool) {
	for {
		switch kind := target.Kind(); {
		case reflect.PointerTo(target.Type()).Implements(unmarshaler):
			return target, true
		case kind == reflect.Pointer && target.IsNil():
			target = reflect.Zero(target.Type().Elem())
		case kind == reflect.Pointer:
			target = target.Elem()
		case kind == reflect.Interface && target.Elem().Kind() == reflect.Pointer && !target.Elem().IsNil() && !pointsToItself(target.Elem()):
			target = target.Elem()
		default:
			return target, false
		}
	}
}

// pointsToItself reports whether the interface that holds pointer is what it points to, where json.Unmarshal stops too.
func pointsToItself(pointer reflect.Value) bool {
	held := pointer.Elem()
	return held.Kind() == reflect.Interface && held.Elem().Kind() == reflect.Pointer && held.Elem().Pointer() == pointer.Pointer()
}

// of returns the fields of structure by their JSON names, chosen as encoding/json chooses: of several with one name the least deeply
// embedded, then the tagged one, else none.
func (e exactNames) of(structure reflect.Type) map[string]jsonField {
	if fields, known := e[structure]; known {
		return fields
	}
	type embedded struct {
		structure reflect.Type
		index     []int
	}
	fields, visited := map[string]jsonField{}, map[reflect.Type]bool{}
	for level := []embedded{{structure, nil}}; len(level) > 0; {
		var deeper []embedded
		found, times := map[string]jsonField{}, map[reflect.Type]int{}
		for _, s := range level {
			times[s.structure]++
		}
		for _, s := range level {
			if visited[s.structure] {
				continue
			}
			visited[s.structure] = true
			for i := range s.structure.NumField() {
				f := s.structure.Field(i)
				name, inner, counts := jsonName(f)
				index := append(s.index[:len(s.index):len(s.index)], i)
				switch {
				case !counts:
				case name == "" && inner != nil:
					deeper = append(deeper, embedded{inner, index})
				default:
					field := jsonField{index: index, tagged: name != "", twice: times[s.structure] > 1}
					if name == "" {
						name = f.Name
					}
					if before, ok := found[name]; ok && before.tagged == field.tagged {
						field.twice = true
					} else if ok && before.tagged {
						field = before
					}
					found[name] = field
				}
			}
		}
		for name, field := range found {
			if _, shallower := fields[name]; !shallower {
				fields[name] = field
			}
		}
		level = deeper
	}
	for name, field := range fields {
		if field.twice {
			delete(fields, name)
		}
	}
	e[structure] = fields
	return fields
}

// jsonName returns the name in the tag of f, and the struct that f embeds if it does. counts is false for what encoding/json leaves out.
func jsonName(f reflect.StructField) (name string, inner reflect.Type, counts bool) {
	if f.Anonymous {
		if inner = f.Type; inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() != reflect.Struct {
			inner = nil
		}
	}
	tag := f.Tag.Get("json")
	if !f.IsExported() && inner == nil || tag == "-" {
		return "", nil, false
	}
	name, _, _ = strings.Cut(tag, ",")
	if strings.ContainsFunc(name, func(c rune) bool {
		return !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c)
	}) {
		name = ""
	}
	return name, inner, true
}
