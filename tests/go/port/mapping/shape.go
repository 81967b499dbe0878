package mapping

import (
	"fmt"
	"reflect"
)

// shape tells what a struct is made of.
func shape(v any) string {
	t := reflect.TypeOf(v)
	text := fmt.Sprintf("%v of %d bytes, aligned to %d", t, t.Size(), t.Align())
	if t.Kind() == reflect.Struct {
		for i := 0; i < t.NumField(); i++ {
			f := t.Field(i)
			text += fmt.Sprintf("; %s %v at %d", f.Name, f.Type, f.Offset)
		}
	}
	return text
}
