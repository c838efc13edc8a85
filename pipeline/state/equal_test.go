package state

import (
	"reflect"
	"testing"
)

// What is equal is so in every field, those that are added later among them.
func TestEqualInEveryField(t *testing.T) {
	t.Parallel()
	var port PortStatus
	var line Coverage
	fields := 0
	vary(reflect.ValueOf(&port).Elem(), func(name string) {
		fields++
		if port.Equal(&PortStatus{}) {
			t.Errorf("PortStatus.Equal does not look at %s", name)
		}
	})
	vary(reflect.ValueOf(&line).Elem(), func(name string) {
		fields++
		if line.Equal(Coverage{}) {
			t.Errorf("Coverage.Equal does not look at %s", name)
		}
	})
	if fields < 17 || !port.Equal(&PortStatus{}) || !line.Equal(Coverage{}) {
		t.Errorf("%d fields", fields)
	}
}

// vary calls try once for each field of a struct with that field alone set.
func vary(v reflect.Value, try func(name string)) {
	for i := range v.NumField() {
		field, name := v.Field(i), v.Type().String()+"."+v.Type().Field(i).Name
		var value any
		switch field.Interface().(type) {
		case PortSet:
			value = PortsOf(1)
		case string:
			value = "x"
		case bool:
			value = true
		case uint16:
			value = uint16(1)
		default:
			if field.Kind() == reflect.Struct {
				vary(field, try)
				continue
			}
			if field.Kind() == reflect.Slice {
				value = reflect.MakeSlice(field.Type(), 1, 1).Interface()
			} else { // one of the words; of any other kind it panics, and wants a line above
				value = reflect.ValueOf("x").Convert(field.Type()).Interface()
			}
		}
		field.Set(reflect.ValueOf(value))
		try(name)
		field.SetZero()
	}
}
