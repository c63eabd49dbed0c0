/*
 * The version of the library and of the tools that come with it.
 */
#ifndef PFKIT_VERSION_H
#define PFKIT_VERSION_H

#define PFK_VERSION	"0.1.0"

#endif
