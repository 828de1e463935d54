import CVulkan

/// The properties that kernels and people ask for, read in one call.
struct DeviceProperties {
    let core: VkPhysicalDeviceProperties
    let subgroup: VkPhysicalDeviceSubgroupProperties
    let maintenance: VkPhysicalDeviceMaintenance3Properties
    let identity: VkPhysicalDeviceIDProperties
    let driver: VkPhysicalDeviceDriverProperties
    let integerProducts: VkPhysicalDeviceShaderIntegerDotProductProperties

    init(_ device: VkPhysicalDevice, _ functions: quire_instance_functions) {
        var core = VkPhysicalDeviceProperties2()
        core.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
        var subgroup = VkPhysicalDeviceSubgroupProperties()
        subgroup.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES
        var maintenance = VkPhysicalDeviceMaintenance3Properties()
        maintenance.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES
        var identity = VkPhysicalDeviceIDProperties()
        identity.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES
        var driver = VkPhysicalDeviceDriverProperties()
        driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES
        var integerProducts = VkPhysicalDeviceShaderIntegerDotProductProperties()
        integerProducts.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES
        withUnsafeMutablePointer(to: &subgroup) { subgroup in
            withUnsafeMutablePointer(to: &maintenance) { maintenance in
                withUnsafeMutablePointer(to: &identity) { identity in
                    withUnsafeMutablePointer(to: &driver) { driver in
                        withUnsafeMutablePointer(to: &integerProducts) { integerProducts in
                            core.pNext = UnsafeMutableRawPointer(subgroup)
                            subgroup.pointee.pNext = UnsafeMutableRawPointer(maintenance)
                            maintenance.pointee.pNext = UnsafeMutableRawPointer(identity)
                            identity.pointee.pNext = UnsafeMutableRawPointer(driver)
                            driver.pointee.pNext = UnsafeMutableRawPointer(integerProducts)
                            functions.GetPhysicalDeviceProperties2(device, &core)
                        }
                    }
                }
            }
        }
        self.core = core.properties
        self.subgroup = subgroup
        self.maintenance = maintenance
        self.identity = identity
        self.driver = driver
        self.integerProducts = integerProducts
    }
}

/// The features that kernels ask for, read in one call.
struct DeviceFeatures {
    let float16: VkPhysicalDeviceShaderFloat16Int8Features
    let integerProducts: VkPhysicalDeviceShaderIntegerDotProductFeatures

    init(_ device: VkPhysicalDevice, _ functions: quire_instance_functions) {
        var core = VkPhysicalDeviceFeatures2()
        core.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2
        var float16 = VkPhysicalDeviceShaderFloat16Int8Features()
        float16.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES
        var integerProducts = VkPhysicalDeviceShaderIntegerDotProductFeatures()
        integerProducts.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES
        withUnsafeMutablePointer(to: &float16) { float16 in
            withUnsafeMutablePointer(to: &integerProducts) { integerProducts in
                core.pNext = UnsafeMutableRawPointer(float16)
                float16.pointee.pNext = UnsafeMutableRawPointer(integerProducts)
                functions.GetPhysicalDeviceFeatures2(device, &core)
            }
        }
        self.float16 = float16
        self.integerProducts = integerProducts
    }
}
