// Names of connection properties that messages are asked for: ZMTP's own, and those that an
// authenticator gives. libzmq finds a property by its name only and lists none.
//
//  1. Any thread. A name is there for good once it was added; there is room for kMostPropertyNames
//  besides ZMTP's own.
//  2. A name has to be added before the connection that has it is ready: a connection's properties
//  are read once.
#pragma once

#include <cstddef>
#include <string>

namespace zt {

constexpr size_t kMostPropertyNames = 64;

// Whether it is there now; false if there is no room for it.
bool addPropertyName(const std::string& name);

size_t propertyNameCount();

// Of an index below the count.
const char* propertyName(size_t index);

}  // namespace zt
